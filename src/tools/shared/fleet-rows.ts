import type * as z from 'zod';
import { AppError, type ErrorCode } from '../../lib/errors.ts';
import { ENDED_CODES } from '../../proxmox/exec/exec-types.ts';
import type { ExecResult } from '../../proxmox/proxmox-types.ts';
import type { ContainerTarget, TargetOutcome } from '../tool.ts';
import type { RunOutput } from './equal-outputs.ts';
import { type Attempt, succeeded } from './fleet-batches.ts';
import type { execRow } from './fleet-text.ts';

export type Row = z.output<typeof execRow>;

/** The rows of the containers. @param stoppedBy why containers without an attempt were not run */
export function rowsOf(
  targets: readonly ContainerTarget[],
  attempts: readonly Attempt[],
  stoppedBy: string,
): Row[] {
  const attempted = new Map(attempts.map((attempt) => [attempt.target.vmid, attempt]));
  return targets.map((target) => rowOf(target, attempted.get(target.vmid), stoppedBy));
}

function rowOf(target: ContainerTarget, attempt: Attempt | undefined, stoppedBy: string): Row {
  const { vmid, name, refusal } = target;
  const batch = attempt?.batch ?? null;
  const base = { vmid, name, exit_code: null, ...(batch === null ? {} : { batch }) };
  const failure = ({ code, message }: AppError) => ({ code, reason: message });
  if (refusal !== null) return { ...base, status: 'skipped', ...failure(refusal) };
  if (attempt === undefined) {
    return { ...base, status: 'not_run', code: 'NOT_RUN', reason: stoppedBy };
  }
  const { result, check } = attempt;
  if (result instanceof AppError) return { ...base, status: 'failed', ...failure(result) };
  const { ended, exitCode, durationMs, outputHeld } = result;
  return {
    ...base,
    status: ended === 'exit' ? 'exited' : ended,
    exit_code: exitCode,
    duration_ms: Math.round(durationMs),
    ...(ended === 'exit' && exitCode !== null ? {} : survivorsOf(result)),
    ...(outputHeld ? { output_held: true } : {}),
    ...(check === null ? {} : { check_exit_code: check instanceof AppError ? null : check.exitCode }),
    ...(check === null || check instanceof AppError || (check.ended === 'exit' && check.exitCode !== null)
      ? {}
      : survivorsOf(check)),
    ...endCode(result, check),
  };
}

/** The processes of a command, or of a check, that were not killed. */
function survivorsOf({ survivors }: ExecResult): Pick<Row, 'survivors'> {
  return { survivors: survivors?.map(({ pid, name }) => ({ pid, name })) ?? null };
}

/** The error code of a row whose command, or check, did not end by itself. */
function endCode(result: ExecResult, check: Attempt['check']): { code?: ErrorCode; reason?: string } {
  if (result.ended !== 'exit') return { code: ENDED_CODES[result.ended] };
  if (result.exitCode === null)
    return { code: 'EXIT_UNKNOWN', ...(result.cause ? { reason: result.cause } : {}) };
  if (check === null) return {};
  if (check instanceof AppError) return { code: check.code, reason: `The check: ${check.message}` };
  if (check.ended === 'exit')
    return check.exitCode === null
      ? { code: 'EXIT_UNKNOWN', reason: 'The exit code of the check is unknown.' }
      : {};
  return { code: ENDED_CODES[check.ended], reason: CHECK_ENDS[check.ended] };
}

const CHECK_ENDS = {
  timeout: 'The check did not end within the timeout.',
  cancelled: 'The check was cancelled.',
  disconnected: 'The connection was lost during the check, which may still be running.',
} as const;

/** The outputs to show: that of the command, and that of a check that failed. */
export function outputsOf({ target: { vmid }, result, check }: Attempt): RunOutput[] {
  const command = result instanceof AppError ? [] : [{ vmid, of: 'command' as const, result }];
  const isShown = check !== null && !(check instanceof AppError) && !succeeded(check);
  return isShown ? [...command, { vmid, of: 'check', result: check }] : command;
}

/** The outcome of one container for the audit log. */
export function outcomeOf(row: Row): TargetOutcome {
  const { vmid, code = 'ok', exit_code, survivors, status } = row;
  return { vmid, code, data: { exit_code, survivors, ended: status === 'exited' ? 'exit' : status } };
}

/** The error fields of a call whose command ended in no container. */
export function failureOf(rows: readonly Row[]): { error?: string; code?: string; suggestion?: string } {
  if (rows.some(({ status }) => status === 'exited' || status === 'started')) return {};
  const first = rows.find(({ code, status }) => code !== undefined && status !== 'skipped');
  return {
    error: 'The command ended in none of the containers.',
    code: first?.code ?? 'INTERNAL',
    suggestion:
      'See the rows for the reason in each container. Check the effects of the command before you repeat it.',
  };
}
