import {
  type CallToolResult,
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ServerDeps } from '../calls/call-deps.ts';
import { ceilingOfTool } from '../calls/ceilings.ts';
import { callTool } from '../calls/pipeline.ts';
import type { Caller } from '../lib/caller.ts';
import { containerStatus } from '../tools/container-status.ts';
import { listContainers } from '../tools/list-containers.ts';
import type { Tool } from '../tools/tool.ts';

const ROOT = 'proxmox://containers';
const JSON_TYPE = 'application/json';

const CONTAINERS: Resource = {
  uri: ROOT,
  name: 'containers',
  title: 'Containers',
  description: 'The LXC containers of the cluster: vmid, name, status, node, lock and tags of each.',
  mimeType: JSON_TYPE,
};

const CONTAINER: ResourceTemplateType = {
  uriTemplate: `${ROOT}/{vmid}`,
  name: 'container',
  title: 'Status of a container',
  description: 'Status, node, lock, and CPU, memory and disk usage of one LXC container.',
  mimeType: JSON_TYPE,
};

/** The tool call that reads a resource. */
export interface ResourceCall {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The tool call for a URI; undefined if the URI is not a resource. The vmid is validated as in tools. */
export function callFor(uri: string): ResourceCall | undefined {
  const format = { response_format: 'json' };
  if (uri === ROOT) return { tool: listContainers, args: format };
  const vmid = uri.startsWith(`${ROOT}/`) ? uri.slice(ROOT.length + 1) : '';
  if (!containerStatus.input.shape.vmid.safeParse(vmid).success) return undefined;
  return { tool: containerStatus, args: { vmid, ...format } };
}

/** The resources that this caller may be allowed to read, by the same rules as for their tools. */
export async function listResources(deps: ServerDeps, caller: Caller): Promise<Resource[]> {
  return (await isOpen(listContainers, deps, caller)) ? [CONTAINERS] : [];
}

export async function listTemplates(deps: ServerDeps, caller: Caller): Promise<ResourceTemplateType[]> {
  return (await isOpen(containerStatus, deps, caller)) ? [CONTAINER] : [];
}

async function isOpen(tool: Tool, deps: ServerDeps, caller: Caller): Promise<boolean> {
  return ceilingOfTool(tool, deps.settings, await deps.policy(), caller) === undefined;
}

/**
 * Reads a resource by calling the tool with the same content, so policy, audit log and redaction apply. Approval questions are
 * not possible here, so a rule that requires approval refuses.
 * @throws ProtocolError; "resource not found" if the container does not exist
 */
export async function readResource(
  uri: string,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
  deps: ServerDeps,
): Promise<ReadResourceResult> {
  const call = callFor(uri);
  if (call === undefined) throw new ResourceNotFoundError(uri, `Unknown resource: ${uri.slice(0, 200)}`);
  const result = await callTool({ ...call, caller, signal }, deps);
  // Cannot happen, because the call has no elicitation.
  if (isInputRequiredResult(result))
    throw new ProtocolError(
      ProtocolErrorCode.InternalError,
      'The call requires approval, which is not possible when reading a resource',
    );
  if (result.isError === true) throw failure(uri, result);
  return { contents: [{ uri, mimeType: JSON_TYPE, text: textOf(result) }] };
}

function textOf({ content }: Pick<CallToolResult, 'content'>): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

const FAILURE = z.object({ error: z.string(), code: z.string(), suggestion: z.string() });

/** The protocol error for a tool error, which is already redacted. Resources cannot return error results. */
function failure(uri: string, { structuredContent }: CallToolResult): ProtocolError {
  const { error, code, suggestion } = FAILURE.parse(structuredContent);
  if (code === 'CONTAINER_NOT_FOUND' || code === 'NOT_A_CONTAINER') {
    return new ResourceNotFoundError(uri, error);
  }
  return new ProtocolError(ProtocolErrorCode.InternalError, `${code}: ${error}`, { code, suggestion });
}
