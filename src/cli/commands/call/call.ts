import { text as readAll } from 'node:stream/consumers';
import { type CallToolResult, isInputRequiredResult } from '@modelcontextprotocol/server';
import type { App } from '../../../app.ts';
import type { ToolCall } from '../../../calls/call-record.ts';
import { callTool } from '../../../calls/pipeline.ts';
import type { ProgressNote } from '../../../calls/progress.ts';
import type { LoadInput } from '../../../config/load.ts';
import { LOCAL_CALLER } from '../../../lib/caller.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Tool } from '../../../tools/tool.ts';
import type { Request } from '../../commands.ts';
import { appFor } from '../../open-app.ts';
import { redrawLine } from '../../output/output.ts';
import { UsageError } from '../../usage-error.ts';
import { findTool, readArguments } from './call-arguments.ts';
import { approvePending, canAsk, terminalElicitation } from './confirm.ts';
import { presentJson, presentText } from './present-call.ts';

/** What is left for killing and looking after a cancellation; the same as when a client leaves. */
const CLOSE_MS = 4500;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** `proxmox-mcp call TOOL …`: one call on the one path that all calls take, with the settings of serving. */
export async function call({ input, args, options }: Request): Promise<void> {
  let tool: Tool;
  let given: Readonly<Record<string, unknown>>;
  try {
    const [name, ...words] = args;
    if (name === undefined) throw new UsageError('call which tool? `proxmox-mcp tools` lists them');
    tool = findTool(name, TOOLS);
    given = await readArguments(tool, words, () => readAll(process.stdin));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`proxmox-mcp: ${error.message}\nRun proxmox-mcp call --help.\n`);
    process.exitCode = 2;
    return;
  }
  const json = options.json === 'true';
  // The line that is logged for every call is of no use beside its answer.
  await performCall({ ...input, fallbacks: { logLevel: 'warn' } }, tool, given, {
    json,
    present: presentText,
  });
}

/** Shows a result. @returns the exit code */
export type Present = (tool: Tool, result: CallToolResult) => Promise<number>;

/** One call on the path of all calls, shown to a person or as JSON; ends the process. */
export async function performCall(
  input: LoadInput,
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
  { json, present }: { readonly json: boolean; readonly present: Present },
): Promise<void> {
  const app = await appFor(input);
  if (app === undefined) return;
  const interrupt = catchSignals();
  const attempt = () =>
    perform(app, interrupt.signal, {
      tool,
      args: json ? args : asText(tool, args),
      audience: json ? 'model' : 'person',
    });
  let result = await attempt();
  if (canAsk() && (await approvePending(result, app.config.stateDir))) result = await attempt();
  const exitCode = await (json ? presentJson : present)(tool, result);
  await app.close(CLOSE_MS);
  // Not by itself: a connection that hangs would hold the shell.
  process.exit(interrupt.exitCode() ?? exitCode);
}

async function perform(
  app: App,
  signal: AbortSignal,
  asked: Pick<ToolCall, 'tool' | 'args' | 'audience'>,
): Promise<CallToolResult> {
  const elicitation = canAsk() ? { elicitation: terminalElicitation(app.config.stateDir) } : {};
  const made = { ...asked, caller: LOCAL_CALLER, signal, ...elicitation };
  if (!process.stderr.isTTY) return answered(await callTool(made, app));
  const notify = async ({ message }: ProgressNote) => {
    redrawLine(process.stderr, `${message}${signal.aborted ? ', cancelling' : ''}`);
  };
  const result = answered(await callTool({ ...made, notify }, app));
  redrawLine(process.stderr);
  return result;
}

/** A question comes as a result only to clients that repeat the call with the answer. */
function answered(result: Awaited<ReturnType<typeof callTool>>): CallToolResult {
  if (isInputRequiredResult(result)) throw new TypeError('asked somebody who is no client');
  return result;
}

/** The first signal cancels the call, which kills what runs; the second one does not wait for that. */
function catchSignals(): { readonly signal: AbortSignal; exitCode(): number | undefined } {
  const abort = new AbortController();
  let exitCode: number | undefined;
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(code);
      exitCode = code;
      abort.abort();
    });
  }
  return { signal: abort.signal, exitCode: () => exitCode };
}

/** Text is for people here: where a tool lets its caller choose and nothing was chosen. */
function asText(tool: Tool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!('response_format' in tool.input.shape) || 'response_format' in args) return args;
  return { ...args, response_format: 'text' };
}
