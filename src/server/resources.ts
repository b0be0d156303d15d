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
import { ceilingRefusal } from '../calls/ceilings.ts';
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
  description: 'State, node, lock and use of CPU, memory and disk of one LXC container.',
  mimeType: JSON_TYPE,
};

/** The call that a resource is read by. */
export interface ResourceCall {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>>;
}

/** undefined: there can be no such resource. A vmid is what a tool takes for one, so that each container has one address. */
export function callFor(uri: string): ResourceCall | undefined {
  const format = { response_format: 'json' };
  if (uri === ROOT) return { tool: listContainers, args: format };
  const vmid = uri.startsWith(`${ROOT}/`) ? uri.slice(ROOT.length + 1) : '';
  if (!containerStatus.input.shape.vmid.safeParse(vmid).success) return undefined;
  return { tool: containerStatus, args: { vmid, ...format } };
}

/** Those of which some reading may be allowed to this caller: what holds for their tools holds for them. */
export async function listResources(deps: ServerDeps, caller: Caller): Promise<Resource[]> {
  return (await isOpen(listContainers, deps, caller)) ? [CONTAINERS] : [];
}

export async function listTemplates(deps: ServerDeps, caller: Caller): Promise<ResourceTemplateType[]> {
  return (await isOpen(containerStatus, deps, caller)) ? [CONTAINER] : [];
}

async function isOpen(tool: Tool, deps: ServerDeps, caller: Caller): Promise<boolean> {
  return ceilingRefusal(tool, deps.settings, await deps.policy(), caller) === undefined;
}

/**
 * Reads by a call of the tool that tells the same, on the one path of calls: policy, record and redaction hold. A question
 * to a person is not put here; a rule that wants one refuses.
 * @throws ProtocolError; resource not found where there is no such container
 */
export async function readResource(
  uri: string,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
  deps: ServerDeps,
): Promise<ReadResourceResult> {
  const call = callFor(uri);
  if (call === undefined) throw new ResourceNotFoundError(uri, `There is no resource ${uri.slice(0, 200)}`);
  const result = await callTool({ ...call, caller, signal }, deps);
  // It was given no way to ask, so it has not asked.
  if (isInputRequiredResult(result))
    throw new ProtocolError(
      ProtocolErrorCode.InternalError,
      'the call returned a question, which reading a resource cannot answer',
    );
  if (result.isError === true) throw failure(uri, result);
  return { contents: [{ uri, mimeType: JSON_TYPE, text: textOf(result) }] };
}

function textOf({ content }: Pick<CallToolResult, 'content'>): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

const FAILURE = z.object({ error: z.string(), code: z.string(), suggestion: z.string() });

/** The tool's failure, redacted already. Resources have no results that are errors, and but one code of their own. */
function failure(uri: string, { structuredContent }: CallToolResult): ProtocolError {
  const { error, code, suggestion } = FAILURE.parse(structuredContent);
  if (code === 'CONTAINER_NOT_FOUND' || code === 'NOT_A_CONTAINER') {
    return new ResourceNotFoundError(uri, error);
  }
  return new ProtocolError(ProtocolErrorCode.InternalError, `${code}: ${error}`, { code, suggestion });
}
