import { text as readAll } from 'node:stream/consumers';
import { type CallToolResult, isInputRequiredResult } from '@modelcontextprotocol/server';
import type { App } from '../../../app.ts';
import { callTool } from '../../../calls/pipeline.ts';
import type { ProgressNote } from '../../../calls/progress.ts';
import { LOCAL_CALLER } from '../../../lib/caller.ts';
import { table } from '../../../lib/columns.ts';
import { errorText } from '../../../lib/error-text.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Tool } from '../../../tools/tool.ts';
import type { Request } from '../../commands.ts';
import { appFor } from '../../open-app.ts';
import { print, printError, redrawLine } from '../../output/output.ts';
import { UsageError } from '../../usage-error.ts';
import { findTool, isObject, readArguments } from './call-arguments.ts';

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
  // The line that is logged for every call is of no use beside its answer.
  const app = await appFor({ ...input, fallbacks: { logLevel: 'warn' } });
  if (app === undefined) return;
  const json = options.json === 'true';
  const interrupt = catchSignals();
  const result = await perform(app, tool, json ? given : asText(tool, given), interrupt.signal);
  await present(tool, result, json);
  await app.close(CLOSE_MS);
  // Not by itself: a connection that hangs would hold the shell.
  process.exit(interrupt.exitCode() ?? exitCodeOf(result));
}

async function perform(
  app: App,
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const made = { tool, caller: LOCAL_CALLER, args, signal };
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

async function present(tool: Tool, result: CallToolResult, json: boolean): Promise<void> {
  if (json) return print(`${JSON.stringify(dataOf(result), null, 2)}\n`);
  const text = textOf(tool, result);
  return result.isError === true ? printError(text) : print(text);
}

function textOf(tool: Tool, result: CallToolResult): string {
  if (!('response_format' in tool.input.shape)) {
    const { error, code, suggestion, success: _, ...rest } = dataOf(result);
    if (result.isError !== true) return `${linesOf(dataOf(result))}\n`;
    const more = Object.keys(rest).length === 0 ? '' : `${linesOf(rest)}\n`;
    return `${errorText(shown(code), shown(error), shown(suggestion))}\n${more}`;
  }
  const parts = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return `${parts.join('\n').trimEnd()}\n`;
}

function dataOf({ structuredContent }: CallToolResult): Readonly<Record<string, unknown>> {
  return isObject(structuredContent) ? structuredContent : {};
}

/** The answer of a tool that knows only JSON, one field a line. */
function linesOf(data: Readonly<Record<string, unknown>>): string {
  return table(Object.entries(data).map(([name, value]) => [name, shown(value)]));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function exitCodeOf(result: CallToolResult): number {
  const { code, exit_code: ofCommand } = dataOf(result);
  if (result.isError === true) return code === 'INVALID_INPUT' ? 2 : 1;
  return typeof ofCommand === 'number' ? ofCommand : 0;
}
