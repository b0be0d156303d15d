import {
  type CallToolResult,
  type InputRequiredResult,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { ServerDeps } from '../calls/call-deps.ts';
import type { ProgressNote } from '../calls/progress.ts';
import { allowedTools } from '../calls/tool-catalog.ts';
import type { Caller } from '../lib/caller.ts';
import { nearest } from '../lib/suggest.ts';
import type { Tool } from '../tools/tool.ts';
import { clientElicitation } from './client-elicitation.ts';
import { instructionsFor } from './instructions.ts';
import { answerTasks, asTask, TASKS_EXTENSION, takesTasks } from './tasks.ts';

/** How long a client may cache the list of tools, which changes only when the server restarts. */
const LIST_TTL_MS = 3_600_000;
/** The same with a policy file, which may change. Clients with a subscription are notified at once. */
const CHANGING_LIST_TTL_MS = 60_000;

/**
 * The server object of one connection. It is cheap to create and never shared, because an object that serves two clients
 * could send one of them the response for the other.
 *
 * `tools/list` and `tools/call` are handled here instead of with `registerTool`, because the SDK's validation of arguments
 * responds with plain text, without error code and suggestion.
 */
export function createServer(deps: ServerDeps, caller: Caller): McpServer {
  const listChanged = deps.listMayChange === true;
  const ttlMs = listChanged ? CHANGING_LIST_TTL_MS : LIST_TTL_MS;
  const mcp = new McpServer(
    { name: 'proxmox-mcp-server', title: 'Proxmox VE containers', version: deps.version },
    {
      // No subscriptions, because Proxmox does not report changes of containers. Explicit, because the SDK's default is true.
      capabilities: {
        tools: { listChanged },
        prompts: { listChanged: false },
        resources: { listChanged: false, subscribe: false },
        extensions: { [TASKS_EXTENSION]: {} },
      },
      instructions: instructionsFor(deps.settings, deps.transferDirs()),
      cacheHints: {
        'tools/list': { ttlMs, cacheScope: 'private' },
        'prompts/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
        'resources/list': { ttlMs, cacheScope: 'private' },
        'resources/templates/list': { ttlMs, cacheScope: 'private' },
        // Not cached: the status changes at any time, and each read is authorized separately.
        'resources/read': { ttlMs: 0, cacheScope: 'private' },
      },
    },
  );
  mcp.server.setRequestHandler('tools/list', async () => {
    const allowed = await allowedTools(deps.settings, await deps.policy(), caller);
    return { tools: allowed.map(({ definition }) => definition) };
  });
  mcp.server.setRequestHandler('tools/call', async (request, ctx) => {
    // Loaded with the first call, because most servers are started without one.
    const { callTool } = await import('../calls/pipeline.ts');
    const tool = await resolve(request.params.name);
    const notify = notifier(ctx);
    const elicitation = clientElicitation(mcp, ctx);
    const result = await callTool(
      {
        tool,
        caller,
        args: request.params.arguments ?? {},
        signal: ctx.mcpReq.signal,
        ...(notify === undefined ? {} : { notify }),
        ...(elicitation === undefined ? {} : { elicitation }),
      },
      deps,
    );
    const shown = inOneForm(tool, result);
    return takesTasks(ctx) ? asTask(shown) : shown;
  });
  answerTasks(mcp, deps, caller);
  answerPrompts(mcp);
  answerResources(mcp, deps, caller);
  return mcp;
}

/** The result as the client gets it: the text of a container is sent once. Errors are short, and keep both forms. */
function inOneForm(
  tool: Tool,
  result: CallToolResult | InputRequiredResult,
): CallToolResult | InputRequiredResult {
  if (tool.textOnly !== true || !('content' in result) || result.isError === true) return result;
  const { structuredContent: _, ...text } = result;
  return text;
}

function answerPrompts({ server }: McpServer): void {
  const load = () => import('./prompts.ts');
  server.setRequestHandler('prompts/list', async () => ({ prompts: [...(await load()).PROMPTS] }));
  server.setRequestHandler('prompts/get', async ({ params }) =>
    (await load()).promptOf(params.name, params.arguments ?? {}),
  );
}

function answerResources({ server }: McpServer, deps: ServerDeps, caller: Caller): void {
  const load = () => import('./resources.ts');
  server.setRequestHandler('resources/list', async () => ({
    resources: await (await load()).listResources(deps, caller),
  }));
  server.setRequestHandler('resources/templates/list', async () => ({
    resourceTemplates: await (await load()).listTemplates(deps, caller),
  }));
  server.setRequestHandler('resources/read', async ({ params }, ctx) =>
    (await load()).readResource(params.uri, { caller, signal: ctx.mcpReq.signal }, deps),
  );
}

async function resolve(name: string): Promise<Tool> {
  const { TOOLS } = await import('../tools/index.ts');
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool !== undefined) return tool;
  const meant = nearest(
    name,
    TOOLS.map((candidate) => candidate.name),
  );
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name.slice(0, 100)}${hint}`);
}

/** Sends progress to the client, if the request has a progress token. */
function notifier(ctx: ServerContext): ((note: ProgressNote) => Promise<void>) | undefined {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (note) =>
    ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...note } });
}
