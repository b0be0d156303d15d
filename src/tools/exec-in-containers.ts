import * as z from 'zod';
import { AppError, type ErrorCode } from '../lib/errors.ts';
import { ENDED_CODES } from '../proxmox/exec/exec-types.ts';
import type { Job } from '../proxmox/jobs/job-types.ts';
import type { ContainerHandle, ExecResult } from '../proxmox/proxmox-types.ts';
import { batchesOf, runPerNode } from './shared/batches.ts';
import { groupOutputs, type RunOutput } from './shared/equal-outputs.ts';
import { characterLimitOf, outputLimit } from './shared/exec-schema.ts';
import { execRow, fleetText, outputGroup } from './shared/fleet-text.ts';
import { command, commandTimeout, flag, requireBackground, timeoutOf, withTimeout } from './shared/params.ts';
import { selectContainers, targetInput } from './shared/targets.ts';
import {
  type ContainerTarget,
  defineContainersTool,
  type Reply,
  type TargetOutcome,
  type ToolContext,
} from './tool.ts';

const NAME = 'proxmox_exec_in_containers';

const positive = { error: 'must be an integer of at least 1' };

const input = z
  .strictObject({
    command,
    ...targetInput,
    timeout: commandTimeout,
    background: flag('Run as jobs, return their IDs'),
    batch_size: z
      .int(positive)
      .min(1, positive)
      .meta({ minimum: undefined, maximum: undefined })
      .optional()
      .describe('Containers per batch'),
    canary: flag('First batch is one container; implies stop_on_failure'),
    stop_on_failure: flag('Begin no further container after a failure'),
    check: command
      .optional()
      .describe('Command run in each container after its batch; if it fails, no further batch runs'),
    ...outputLimit,
  })
  .superRefine(requireBackground)
  .overwrite(withTimeout)
  .superRefine(({ background, batch_size, canary, stop_on_failure, check }, ctx) => {
    if (!background || (batch_size === undefined && !canary && !stop_on_failure && check === undefined))
      return;
    ctx.addIssue({
      code: 'custom',
      path: ['background'],
      message: 'excludes batch_size, canary, stop_on_failure and check, because nothing waits for the jobs',
    });
  });

const output = z.object({
  success: z.boolean(),
  containers: z.array(execRow),
  outputs: z.array(outputGroup),
  error: z.string().optional(),
  code: z.string().optional(),
  suggestion: z.string().optional(),
});

type Input = z.output<typeof input>;
type Row = z.output<typeof execRow>;

export const execInContainers = defineContainersTool({
  name: NAME,
  title: 'Run a command in several containers',
  description:
    'Run one shell command as root in several running LXC containers in parallel, or in batches. ' +
    'Select them by vmids, tags, name or node; all selectors given must match. Equal outputs are shown once. ' +
    'Every selected container has a row, also if it is skipped or refused. For a risky change use canary or batch_size, and check.',
  toolset: 'fleet',
  effect: 'exec',
  input,
  output,
  containers: (selection, search) => selectContainers(selection, search, 'refuse'),
  async run(request, ctx) {
    const usable = ctx.containers.filter(({ refusal }) => refusal === null);
    if (request.background) return startJobs(usable, request, ctx);
    const { attempts, stoppedBy } = await runBatches(usable, request, ctx);
    const rows = ctx.containers.map((target) => rowOf(target, attempts, stoppedBy));
    const outputs = groupOutputs(attempts.flatMap(outputsOf), characterLimitOf(request, ctx.settings));
    const data = {
      success: rows.every(({ status, exit_code, check_exit_code = 0 }) => {
        return status === 'exited' && exit_code === 0 && check_exit_code === 0;
      }),
      containers: rows,
      outputs: outputs.map(({ vmids, of, exitCode, stdout, stderr }) => ({
        vmids: [...vmids],
        of,
        exit_code: exitCode,
        stdout: stdout.text,
        stderr: stderr.text,
        truncated: stdout.truncated || stderr.truncated,
        characters: stdout.originalLength + stderr.originalLength,
        lines: stdout.lines + stderr.lines,
      })),
      ...failureOf(rows),
    };
    return {
      data,
      text: fleetText,
      outcomes: rows.filter(({ vmid }) => usable.some((target) => target.vmid === vmid)).map(outcomeOf),
      ...('error' in data ? { isError: true } : {}),
    };
  },
});

/** Starts one job in each container; a row for each has its ID, or why it did not start. */
async function startJobs(
  usable: readonly ContainerTarget[],
  request: Input,
  ctx: ToolContext,
): Promise<Reply<z.output<typeof output>>> {
  const started = await runPerNode(usable, async (target) => {
    const container = ctx.cluster.container(target.vmid, target.precondition);
    const job = container.startJob(request.command, {
      tool: NAME,
      caller: ctx.caller.name,
      approval: target.precondition?.approvalId ?? null,
      timeoutS: timeoutOf(request),
      outputLimit: ctx.settings.jobOutputLimit,
      signal: ctx.signal,
    });
    return { vmid: target.vmid, job: await jobOrError(job) };
  });
  const rows = ctx.containers.map(({ vmid, name, refusal }): Row => {
    const base = { vmid, name, exit_code: null };
    const job = refusal ?? started.find((each) => each.vmid === vmid)?.job;
    if (job instanceof AppError) {
      const status = refusal === null ? 'failed' : 'skipped';
      return { ...base, status, code: job.code, reason: job.message };
    }
    if (job === undefined)
      return { ...base, status: 'not_run', code: 'NOT_RUN', reason: 'The call was cancelled.' };
    return { ...base, status: 'started', job: job.id };
  });
  const data = {
    success: rows.every(({ status }) => status === 'started'),
    containers: rows,
    outputs: [],
    ...failureOf(rows),
  };
  return {
    data,
    text: fleetText,
    outcomes: rows.filter(({ vmid }) => usable.some((target) => target.vmid === vmid)).map(outcomeOf),
    ...('error' in data ? { isError: true } : {}),
  };
}

/** An AppError is the result of its container and does not end the call. */
async function jobOrError(start: Promise<Job>): Promise<Job | AppError> {
  try {
    return await start;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** The result of the command in one container, or why it did not run; the same for the check. */
interface Attempt {
  readonly target: ContainerTarget;
  readonly container: ContainerHandle;
  readonly result: ExecResult | AppError;
  readonly check: ExecResult | AppError | null;
}

/** Runs the command, and the check of each batch, until all are done or a failure stops the rest. */
async function runBatches(
  usable: readonly ContainerTarget[],
  { command, check, timeout, background, canary, stop_on_failure, batch_size, ...limits }: Input,
  ctx: ToolContext,
): Promise<{ attempts: readonly Attempt[]; stoppedBy: string }> {
  const limit = captureLimit(characterLimitOf(limits, ctx.settings), usable.length);
  const options = {
    timeoutMs: timeoutOf({ timeout, background }) * 1000,
    signal: ctx.signal,
    characterLimit: limit,
    digest: true,
  } as const;
  const run = (container: ContainerHandle, line: string) =>
    resultOf(container.exec(line, { ...options, keep: limits.keep }));
  const attempts: Attempt[] = [];
  let failed: number | undefined;
  let done = 0;
  const stops = () => ctx.signal.aborted || ((canary || stop_on_failure) && failed !== undefined);
  for (const batch of batchesOf(usable, { canary, size: batch_size })) {
    const ended = await runPerNode(
      batch,
      async (target): Promise<Attempt> => {
        // The same handle for the check, so that it may redeem the same approval.
        const container = ctx.cluster.container(target.vmid, target.precondition);
        const result = await run(container, command);
        if (!succeeded(result)) failed ??= target.vmid;
        done += 1;
        ctx.progress(`${done} of ${usable.length} done`, done, usable.length);
        return { target, container, result, check: null };
      },
      stops,
    );
    const isChecked = check !== undefined && !ctx.signal.aborted;
    const checked = await runPerNode(
      ended.map((attempt) => ({ attempt, node: attempt.target.node })),
      async ({ attempt }): Promise<Attempt> => {
        const isRunnable =
          isChecked && !(attempt.result instanceof AppError) && attempt.result.ended === 'exit';
        return isRunnable ? { ...attempt, check: await run(attempt.container, check) } : attempt;
      },
    );
    attempts.push(...checked);
    const refused = checked.find((attempt) => attempt.check !== null && !succeeded(attempt.check));
    if (refused !== undefined) return { attempts, stoppedBy: `The check failed in ${refused.target.vmid}.` };
    if (stops()) break;
  }
  const stoppedBy = ctx.signal.aborted ? 'The call was cancelled.' : `The command failed in ${failed}.`;
  return { attempts, stoppedBy };
}

/**
 * Limit of characters kept per container before equal outputs are grouped, which bounds the memory for any number of
 * containers.
 */
function captureLimit(limit: number, containers: number): number {
  return Math.max(Math.min(limit, 25_000), Math.floor(limit / containers));
}

/** An AppError is the result of its container and does not end the call. */
async function resultOf(run: Promise<ExecResult>): Promise<ExecResult | AppError> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function succeeded(result: ExecResult | AppError): boolean {
  return !(result instanceof AppError) && result.ended === 'exit' && result.exitCode === 0;
}

function rowOf(target: ContainerTarget, attempts: readonly Attempt[], stoppedBy: string): Row {
  const { vmid, name, refusal } = target;
  const base = { vmid, name, exit_code: null };
  const failure = ({ code, message }: AppError) => ({ code, reason: message });
  if (refusal !== null) return { ...base, status: 'skipped', ...failure(refusal) };
  const attempt = attempts.find((each) => each.target.vmid === vmid);
  if (attempt === undefined) {
    return { ...base, status: 'not_run', code: 'NOT_RUN', reason: stoppedBy };
  }
  const { result, check } = attempt;
  if (result instanceof AppError) return { ...base, status: 'failed', ...failure(result) };
  const { ended, exitCode, durationMs, survivors, outputHeld } = result;
  return {
    ...base,
    status: ended === 'exit' ? 'exited' : ended,
    exit_code: exitCode,
    duration_ms: Math.round(durationMs),
    ...(ended === 'exit'
      ? {}
      : { survivors: survivors?.map(({ pid, name: process }) => ({ pid, name: process })) ?? null }),
    ...(outputHeld ? { output_held: true } : {}),
    ...(check === null ? {} : { check_exit_code: check instanceof AppError ? null : check.exitCode }),
    ...endCode(result, check),
  };
}

/** The error code of a row whose command, or check, did not end by itself. */
function endCode(result: ExecResult, check: Attempt['check']): { code?: ErrorCode; reason?: string } {
  if (result.ended !== 'exit') return { code: ENDED_CODES[result.ended] };
  if (result.exitCode === null) return { code: 'EXIT_UNKNOWN' };
  if (check instanceof AppError) return { code: check.code, reason: `The check: ${check.message}` };
  return check !== null && check.ended !== 'exit'
    ? { code: ENDED_CODES[check.ended], reason: 'The check did not end.' }
    : {};
}

/** The outputs to show: that of the command, and that of a check that failed. */
function outputsOf({ target: { vmid }, result, check }: Attempt): RunOutput[] {
  const command = result instanceof AppError ? [] : [{ vmid, of: 'command' as const, result }];
  const isShown = check !== null && !(check instanceof AppError) && !succeeded(check);
  return isShown ? [...command, { vmid, of: 'check', result: check }] : command;
}

function outcomeOf(row: Row): TargetOutcome {
  const { vmid, code = 'ok', exit_code, survivors, status } = row;
  return { vmid, code, data: { exit_code, survivors, ended: status === 'exited' ? 'exit' : status } };
}

/** The error fields of a call whose command ended in no container. */
function failureOf(rows: readonly Row[]): { error?: string; code?: string; suggestion?: string } {
  if (rows.some(({ status }) => status === 'exited' || status === 'started')) return {};
  const first = rows.find(({ code, status }) => code !== undefined && status !== 'skipped');
  return {
    error: 'The command ended in none of the containers.',
    code: first?.code ?? 'INTERNAL',
    suggestion:
      'See the rows for the reason in each container. Check the effects of the command before you repeat it.',
  };
}
