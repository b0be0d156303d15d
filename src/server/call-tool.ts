import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Caller } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { Reply, Tool } from '../tools/tool.ts';
import { refusalOf } from './decide.ts';
import type { ServerDeps } from './deps.ts';
import { type ProgressNote, startProgress } from './progress.ts';
import { formatOf, presentError, presentReply } from './result.ts';
import { validateArguments } from './validate.ts';

/** One tools/call request, free of protocol detail. */
export interface ToolCall {
  readonly tool: Tool;
  readonly caller: Caller;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Absent when the client did not ask for progress. */
  readonly notify?: (note: ProgressNote) => Promise<void>;
}

/**
 * The one path of a call: decide, validate, run, present. Nothing else calls `run`. Never rejects: what
 * goes wrong is a result that the model can read.
 */
export async function callTool(call: ToolCall, deps: ServerDeps): Promise<CallToolResult> {
  const startedAt = performance.now();
  const ended = deps.trackCall?.();
  let outcome = 'ok';
  let data: Readonly<Record<string, unknown>> | undefined;
  try {
    const reply = await perform(call, deps);
    data = reply.data;
    if (reply.isError === true) outcome = typeof reply.data.code === 'string' ? reply.data.code : 'error';
    return await presentReply(reply, deps.redactor);
  } catch (thrown) {
    const error = toAppError(thrown, call, deps);
    outcome = error.code;
    return presentError(error, formatOf(call.tool, call.args), deps.redactor);
  } finally {
    // The arguments are left out: commands and paths may hold secrets.
    const durationMs = Math.round(performance.now() - startedAt);
    deps.logger.info({ tool: call.tool.name, outcome, durationMs }, 'tool call');
    deps.observer?.called({ tool: call.tool.name, outcome, durationMs, data });
    ended?.();
  }
}

async function perform(call: ToolCall, deps: ServerDeps): Promise<Reply<Record<string, unknown>>> {
  const refused = refusalOf(call.tool, deps.settings, await deps.policy(), call.caller);
  if (refused !== undefined) throw refused.error;
  const input = validateArguments(call.tool, call.args);
  const progress = call.notify === undefined ? undefined : startProgress(call.notify, deps.redactor);
  try {
    return await call.tool.run(input, {
      cluster: await deps.cluster(),
      settings: deps.settings,
      signal: call.signal,
      progress: (message, done, total) => progress?.update(message, done, total),
    });
  } finally {
    await progress?.stop();
  }
}

/** What was not meant for the caller is replaced by an id, under which the log has it in full. */
function toAppError(thrown: unknown, call: ToolCall, deps: ServerDeps): AppError {
  if (thrown instanceof AppError) return thrown;
  if (call.signal.aborted && (thrown === call.signal.reason || isAbortError(thrown))) {
    return new AppError('CANCELLED', 'The call was cancelled.', 'Call again if it is still wanted.', {
      cause: thrown,
    });
  }
  // Web Crypto, because loading node:crypto would cost every start of the server 3 ms.
  const id = crypto.randomUUID().slice(0, 8);
  deps.logger.error({ error: thrown, id, tool: call.tool.name }, 'internal error');
  return new AppError(
    'INTERNAL',
    `internal error ${id}`,
    `This is a fault of the server. Its log has the details under the id ${id}.`,
    { cause: thrown },
  );
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
