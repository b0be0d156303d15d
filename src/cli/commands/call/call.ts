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
import type { Request } from '../../command.ts';
import { openApp } from '../../open-app.ts';
import { redrawLine } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';
import { findTool, readArguments } from './call-arguments.ts';
import { approvePending, canAsk, terminalElicitation } from './confirm.ts';
import { presentJson, presentText } from './present-call.ts';

/** Time to kill running commands and close connections, as when a client disconnects. */
const CLOSE_MS = 4500;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** `proxmox-mcp call TOOL …`: makes one tool call through the same pipeline and with the same settings as a server. */
export async function call({ input, args, options }: Request): Promise<void> {
  let tool: Tool;
  let given: Readonly<Record<string, unknown>>;
  try {
    const [name, ...words] = args;
    if (name === undefined) throw new UsageError('call needs a tool; list them with `proxmox-mcp tools`');
    tool = findTool(name, TOOLS);
    given = await readArguments(tool, words, () => readAll(process.stdin));
  } catch (error) {
    return reportUsageError(error, 'call');
  }
  const json = options.json === 'true';
  // The log line of a call adds nothing to its result.
  await performCall({ ...input, fallbacks: { logLevel: 'warn' } }, tool, given, {
    json,
    present: presentText,
  });
}

/** Prints a result. @returns the exit code */
export type Present = (tool: Tool, result: CallToolResult) => Promise<number>;

/** Makes one tool call, prints its result as text or JSON, and exits. */
export async function performCall(
  input: LoadInput,
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
  { json, present }: { readonly json: boolean; readonly present: Present },
): Promise<void> {
  // A terminal waits as long as the command takes.
  const config = settingsFor(input);
  const app = config === undefined ? undefined : await openApp({ ...config, waitLimit: undefined });
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
  // An explicit exit, because a connection that hangs would keep the process running.
  process.exit(interrupt.exitCode() ?? exitCode);
}

async function perform(
  app: App,
  signal: AbortSignal,
  asked: Pick<ToolCall, 'tool' | 'args' | 'audience'>,
): Promise<CallToolResult> {
  const elicitation = canAsk()
    ? { elicitation: terminalElicitation(app.config.stateDir, app.config.approvalTtl * 1000) }
    : {};
  const made = { ...asked, caller: LOCAL_CALLER, signal, ...elicitation };
  if (!process.stderr.isTTY) return toResult(await callTool(made, app));
  const notify = async ({ message }: ProgressNote) => {
    redrawLine(process.stderr, `${message}${signal.aborted ? ', cancelling' : ''}`);
  };
  const result = toResult(await callTool({ ...made, notify }, app));
  redrawLine(process.stderr);
  return result;
}

/** The result of a call that asks for confirmation inline, so that it never returns an elicitation request. */
function toResult(result: Awaited<ReturnType<typeof callTool>>): CallToolResult {
  if (isInputRequiredResult(result)) throw new TypeError('an inline elicitation returned a request');
  return result;
}

/** The first signal cancels the call, which kills its command. The second one exits at once. */
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

/** Sets response_format to text if the tool has that parameter and the user did not set it. */
function asText(tool: Tool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!('response_format' in tool.input.shape) || 'response_format' in args) return args;
  return { ...args, response_format: 'text' };
}
