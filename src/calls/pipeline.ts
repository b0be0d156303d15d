import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import type { Elicitation } from '../governance/approval/elicitation.ts';
import type { AuditBegin } from '../governance/audit/audit-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import { type Caller, LOCAL_CALLER } from '../lib/caller.ts';
import type { Precondition } from '../remote/remote-types.ts';
import { hostAccessDisabled, type Reply, type Tool } from '../tools/tool.ts';
import { confirm } from './approve.ts';
import type { ServerDeps } from './call-deps.ts';
import { guestReader } from './container-attributes.ts';
import { refusalOf, subjectOf } from './decide.ts';
import { toAppError } from './failure.ts';
import { forwardNotices } from './forward-notices.ts';
import { withIgnoredFieldsNote } from './ignored-fields-note.ts';
import { decided, endOf, opened, recordRefusal } from './log-call.ts';
import { formatOf, presentError, presentReply } from './present.ts';
import { type ProgressNote, startProgress } from './progress.ts';
import { validateArguments } from './validate.ts';

/** One tools/call request, free of protocol detail. */
export interface ToolCall {
  readonly tool: Tool;
  readonly caller: Caller;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Absent when the client did not ask for progress. */
  readonly notify?: (note: ProgressNote) => Promise<void>;
  /** How the client can be asked to confirm; absent when it can't. */
  readonly dialogue?: Elicitation;
}

/** How a call went, for client, record, log and metrics alike. */
interface Ending {
  readonly result: CallToolResult | InputRequiredResult;
  /** `ok`, or the code of the failure. */
  readonly code: string;
  /** What the tool answered; undefined when it did not come to answer. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** One that came to an answer, good or bad. */
type Answered = Ending & { readonly result: CallToolResult };

/** A target that changes under every look is not worked on: the failure of the last attempt is told. */
const MAX_ATTEMPTS = 3;

/**
 * The one path of a call. Nothing else calls `run`. Never rejects: what goes wrong is a result that the model can read.
 *
 * ceilings → validate → decide → confirm → begin the record → run, under a guard that holds the node to what was
 * decided on → redact → end the record. What is refused before it began is on record as well.
 */
export async function callTool(
  call: ToolCall,
  deps: ServerDeps,
): Promise<CallToolResult | InputRequiredResult> {
  const startedAt = performance.now();
  const ended = deps.trackCall?.();
  const noticed = call.notify && deps.notices && forwardNotices(call.notify, deps.notices, deps.redactor);
  const { result, code, data } = await walk(
    noticed === undefined ? call : { ...call, notify: noticed.notify },
    deps,
  );
  await noticed?.stop();
  // The arguments are left out: commands and paths may hold secrets.
  const durationMs = Math.round(performance.now() - startedAt);
  const caller = call.caller === LOCAL_CALLER ? {} : { caller: call.caller.name };
  deps.logger.info({ ...caller, tool: call.tool.name, outcome: code, durationMs }, 'tool call');
  deps.observer?.called({ tool: call.tool.name, outcome: code, durationMs, data });
  ended?.();
  return result;
}

async function walk(call: ToolCall, deps: ServerDeps): Promise<Ending> {
  let entry = opened(call);
  try {
    const policy = await deps.policy();
    const closed = refusalOf(call.tool, deps.settings, policy, call.caller);
    if (closed !== undefined) {
      entry = { ...entry, rule: closed.rule };
      throw closed.error;
    }
    const input = validateArguments(call.tool, call.args);
    if (call.tool.target === 'host' && !deps.settings.enableHostExec) throw hostAccessDisabled();
    for (let attempt = 1; ; attempt += 1) {
      const subject = subjectOf(call.tool, input, call.caller, new Date());
      const guest = guestReader(subject, call.signal, deps);
      const decision = await policy.decide(subject, guest);
      entry = decided(entry, decision);
      if (decision.outcome === 'deny') throw refusal(call.tool.name, decision);
      const consent = await confirm({ call, input, subject, decision, guest }, deps);
      if (consent.kind === 'question') {
        await recordRefusal(deps, entry, 'CONFIRMATION_REQUIRED');
        return { result: consent.question, code: 'CONFIRMATION_REQUIRED', data: undefined };
      }
      const { guard } = consent;
      entry = { ...entry, guest: guard?.attributes ?? entry.guest, approval: guard?.approvalId ?? null };
      const ending = await runOnRecord(call, input, guard, entry, deps);
      // What the decision rests on no longer held, so nothing was run: decide again on how things are now.
      if (ending.code !== 'TARGET_CHANGED' || attempt === MAX_ATTEMPTS) return ending;
    }
  } catch (thrown) {
    const ending = await failed(thrown, call, deps);
    await recordRefusal(deps, entry, ending.code);
    return ending;
  }
}

/** Nothing happens that is not on record before, and what happened is on record before it is told. */
async function runOnRecord(
  call: ToolCall,
  input: Record<string, unknown>,
  guard: Precondition | null,
  entry: AuditBegin,
  deps: ServerDeps,
): Promise<Answered> {
  const trail = await deps.audit();
  const record = await trail.begin(entry);
  const startedAt = performance.now();
  const ending = await run(call, input, guard, deps)
    .then((reply) => answered(withIgnoredFieldsNote(reply, call), deps))
    .catch((thrown: unknown) => failed(thrown, call, deps));
  await record.end(endOf(ending, performance.now() - startedAt));
  return ending;
}

async function run(
  call: ToolCall,
  input: Record<string, unknown>,
  guard: Precondition | null,
  deps: ServerDeps,
): Promise<Reply<Record<string, unknown>>> {
  const progress = call.notify === undefined ? undefined : startProgress(call.notify, deps.redactor);
  try {
    return await call.tool.run(input, {
      cluster: await deps.cluster(),
      precondition: guard,
      settings: deps.settings,
      signal: call.signal,
      progress: (message, done, total) => progress?.update(message, done, total),
    });
  } finally {
    await progress?.stop();
  }
}

async function answered(reply: Reply<Record<string, unknown>>, deps: ServerDeps): Promise<Answered> {
  const { data, isError } = reply;
  const code = isError !== true ? 'ok' : typeof data.code === 'string' ? data.code : 'error';
  return { result: await presentReply(reply, deps.redactor), code, data };
}

async function failed(thrown: unknown, call: ToolCall, deps: ServerDeps): Promise<Answered> {
  const error = toAppError(thrown, call, deps.logger);
  const result = await presentError(error, formatOf(call.tool, call.args), deps.redactor);
  return { result, code: error.code, data: undefined };
}
