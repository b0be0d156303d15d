import { isInputRequiredResult } from '@modelcontextprotocol/server';
import type { AuditBegin, AuditCall, AuditEnd } from '../governance/audit/audit-types.ts';
import type { ServerDeps } from './call-deps.ts';
import type { Arguments, CallOutcome, CallRecord, CallTarget } from './call-record.ts';

/** The audit entry of a target, to be completed with its outcome. */
export interface LoggedTarget {
  readonly vmid: number | null;
  readonly entry: AuditCall;
}

/**
 * Stage 4: writes one entry for each target before the call is executed.
 * @throws AppError AUDIT_UNAVAILABLE: the call must not be executed then
 */
export async function logBegin(record: CallRecord, deps: ServerDeps): Promise<readonly LoggedTarget[]> {
  const log = await deps.audit();
  // At once, so that the entries of many containers are written together.
  const logged = await Promise.allSettled(
    record.targets.map(async (target): Promise<LoggedTarget | null> => {
      const { vmid } = target.subject;
      if (target.refusal === null) return { vmid, entry: await log.begin(entryOf(record, target)) };
      // Nothing was decided on a skipped container.
      if (target.selected?.skipped == null) await log.refused(entryOf(record, target), target.refusal.code);
      return null;
    }),
  );
  const begun = logged.flatMap((each) =>
    each.status === 'fulfilled' && each.value !== null ? [each.value] : [],
  );
  const failed = logged.find((each) => each.status === 'rejected');
  if (failed === undefined) return begun;
  // The call is not executed for the others either.
  for (const { entry } of begun) await entry.end(NOT_EXECUTED);
  throw failed.reason;
}

const NOT_EXECUTED: AuditEnd = {
  code: 'AUDIT_UNAVAILABLE',
  exitCode: null,
  bytes: null,
  resultText: '',
  durationMs: 0,
  survivors: null,
};

/** Completes the entries, before the client gets the result. Never rejects. */
export async function logEnd(
  record: CallRecord,
  begun: readonly LoggedTarget[],
  outcome: CallOutcome,
): Promise<void> {
  const own = new Map(record.targets.map((target) => [target.subject.vmid, target.outcome]));
  const { result } = outcome;
  const content = isInputRequiredResult(result) ? [] : result.content;
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  await Promise.all(begun.map(({ vmid, entry }) => entry.end(endOf(outcome, own.get(vmid) ?? null, text))));
}

/** Logs a refused call. Never rejects, because the call is refused anyway. */
export async function logRefusal(record: CallRecord, code: string, deps: ServerDeps): Promise<void> {
  const { call, targets } = record;
  try {
    const log = await deps.audit();
    const [first, ...others] = targets.length === 0 ? [undefined] : targets;
    for (const target of [first, ...others]) {
      await log.refused(entryOf(record, target, code), target?.refusal?.code ?? code);
    }
  } catch (error) {
    deps.logger.error({ error, tool: call.tool.name, code }, 'a refused call could not be logged');
  }
}

/** @param code the error code, used as the rule if no rule decided */
function entryOf(record: CallRecord, target: CallTarget | undefined, code = 'ok'): AuditBegin {
  const { call, refusedBy } = record;
  const args = argumentsFor(record, target);
  const { decision = null, precondition = null, subject, refusal = null } = target ?? {};
  return {
    caller: call.caller.name,
    tool: call.tool.name,
    effect: subject?.effect ?? call.tool.effect,
    vmid: subject === undefined ? vmidOf(args.vmid) : subject.vmid,
    guest: precondition?.attributes ?? decision?.attributes ?? null,
    args,
    outcome: decision?.outcome ?? 'deny',
    rule: decision?.rule ?? refusedBy ?? refusal?.code ?? code,
    approval: precondition?.approvalId ?? null,
  };
}

/** The arguments for one target. Of the commands of several containers, each entry has its own. */
function argumentsFor({ call, args, input }: CallRecord, target: CallTarget | undefined): Arguments {
  const vmid = target?.subject.vmid ?? null;
  if (input === null || vmid === null) return args;
  const own = call.tool.commandIn?.({ ...input }, vmid);
  if (own === undefined) return args;
  const { commands: _, ...others } = args;
  return { ...others, command: own };
}

/** The vmid in arguments that may be invalid; a string of digits counts. */
function vmidOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

/** The audit fields of a result, read by field names that all tools share. */
function endOf(
  { code, data = {}, durationMs }: CallOutcome,
  own: CallTarget['outcome'],
  resultText: string,
): AuditEnd {
  const fields = own?.data ?? data;
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return {
    code: own?.code ?? code,
    exitCode: number(fields.exit_code),
    bytes: number(fields.bytes_transferred),
    resultText,
    durationMs: Math.round(durationMs),
    survivors: Array.isArray(fields.survivors) && fields.ended !== 'exit' ? fields.survivors.length : null,
  };
}
