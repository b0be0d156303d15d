import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import { isLocal } from '../lib/caller.ts';
import { allowListeners } from '../lib/waits.ts';
import { approve } from './approve.ts';
import type { ServerDeps } from './call-deps.ts';
import {
  type CallOutcome,
  type FinishedCall,
  openRecord,
  type ToolCall,
  type ValidatedCall,
} from './call-record.ts';
import { ceilingOfTool, refuseInLockdown } from './ceilings.ts';
import { commonRefusal, decide } from './decide.ts';
import { toAppError } from './failure.ts';
import { forwardNotices } from './forward-notices.ts';
import { withIgnoredFieldsNote } from './ignored-fields-note.ts';
import { logBegin, logEnd, logRefusal } from './log-call.ts';
import { formatOf, presentError, presentReply } from './present.ts';
import { run, withOutcomes } from './run-tool.ts';
import { validate } from './validate.ts';

/** How often a call is decided again because its target changed between decision and execution. */
const MAX_ATTEMPTS = 3;

/**
 * Executes one tool call: ceilings, then the stages validate → decide → approve → log → run → present. Refused calls are
 * logged as well. Never rejects: a failure is a result that the model can read.
 */
export async function callTool(
  call: ToolCall,
  deps: ServerDeps,
): Promise<CallToolResult | InputRequiredResult> {
  const startedAt = performance.now();
  allowListeners(call.signal);
  const ended = deps.trackCall?.();
  const noticed = call.notify && deps.notices && forwardNotices(call.notify, deps.notices, deps.redactor);
  const { outcome } = await runPipeline(
    noticed === undefined ? call : { ...call, notify: noticed.notify },
    deps,
  );
  await noticed?.stop();
  const { code, data, result } = outcome;
  // Without the arguments, because commands and paths may contain secrets.
  const durationMs = Math.round(performance.now() - startedAt);
  const caller = isLocal(call.caller) ? {} : { caller: call.caller.name };
  deps.observer?.called({ tool: call.tool.name, outcome: code, durationMs, data });
  // The client does not wait for the log line.
  setImmediate(() => {
    deps.logger.info({ ...caller, tool: call.tool.name, outcome: code, durationMs }, 'tool call');
    ended?.();
  });
  return result;
}

async function runPipeline(call: ToolCall, deps: ServerDeps): Promise<FinishedCall> {
  let record = openRecord(call);
  try {
    const policy = await deps.policy();
    const ceiling = ceilingOfTool(call.tool, deps.settings, policy, call.caller);
    if (ceiling !== undefined) {
      record = { ...record, refusedBy: ceiling.rule };
      throw ceiling.error;
    }
    await refuseInLockdown(call.tool, deps);
    const validated = await validate(record, deps);
    record = validated;
    for (let attempt = 1; ; attempt += 1) {
      const decided = await decide(validated, policy, deps);
      record = decided;
      const refused = commonRefusal(decided);
      if (refused !== undefined) throw refused;
      const approved = await approve(decided, deps);
      if (approved.kind === 'question') {
        await logRefusal(record, 'CONFIRMATION_REQUIRED', deps);
        const outcome = { code: 'CONFIRMATION_REQUIRED', data: undefined, durationMs: 0 };
        return { record, outcome: { ...outcome, result: approved.question } };
      }
      record = approved.record;
      await refuseInLockdown(call.tool, deps);
      const finished = await execute(approved.record, deps);
      // The container changed after the decision, so the call was not executed. Decide again with the new attributes.
      if (finished.outcome.code !== 'TARGET_CHANGED' || attempt === MAX_ATTEMPTS) return finished;
    }
  } catch (thrown) {
    const outcome = await toErrorResult(thrown, call, deps);
    await logRefusal(record, outcome.code, deps);
    return { record, outcome };
  }
}

/** Stages log, run and present. The call is logged before it runs, and its end is logged before the client gets the result. */
async function execute(record: ValidatedCall, deps: ServerDeps): Promise<FinishedCall> {
  const begun = await logBegin(record, deps);
  const startedAt = performance.now();
  const finished = await runAndPresent(record, deps);
  const outcome = { ...finished.outcome, durationMs: performance.now() - startedAt };
  await logEnd(finished.record, begun, outcome);
  return { record: finished.record, outcome };
}

async function runAndPresent(record: ValidatedCall, deps: ServerDeps): Promise<FinishedCall> {
  try {
    const reply = withIgnoredFieldsNote(await run(record, deps), record.call);
    const { data, isError } = reply;
    const code = isError !== true ? 'ok' : typeof data.code === 'string' ? data.code : 'error';
    const result = await presentReply(reply, deps.redactor);
    return { record: withOutcomes(record, reply), outcome: { code, data, result, durationMs: 0 } };
  } catch (thrown) {
    return { record, outcome: await toErrorResult(thrown, record.call, deps) };
  }
}

async function toErrorResult(thrown: unknown, call: ToolCall, deps: ServerDeps): Promise<CallOutcome> {
  const error = toAppError(thrown, call, deps.logger);
  const result = await presentError(error, formatOf(call.tool, call.args), deps.redactor, call.audience);
  return { result, code: error.code, data: undefined, durationMs: 0 };
}
