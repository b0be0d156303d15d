import * as z from 'zod';
import { formatDuration } from '../../lib/duration.ts';
import { AppError, type ErrorCode } from '../../lib/errors.ts';
import { codeOfJob } from '../../proxmox/jobs/job-code.ts';
import { jobNotFound } from '../../proxmox/jobs/job-errors.ts';
import type { Job } from '../../proxmox/jobs/job-types.ts';
import { hostAccessDisabled, type ToolContext, type ToolSettings } from '../tool.ts';
import { formatBytes } from './format.ts';

const rule = { error: 'must be the ID of a job, from proxmox_list_jobs' };
export const jobId = z
  .string(rule)
  .regex(/^[a-z2-7]{16}$/, rule)
  .meta({ pattern: undefined })
  .describe('ID of the job');

/** Most clients give up on a call after a minute in which nothing arrives. */
const SILENT_WAIT_S = 45;

/** A client that gives up on a wait after this time, in ms, or later has a timeout that progress does not extend. */
const GIVEN_UP_MS = 55_000;
/** The callers with such a client, for each cluster. */
const impatient = new WeakMap<object, Set<string>>();

type Waiting = Pick<ToolContext, 'showsProgress' | 'caller'> & {
  readonly cluster: object;
  readonly settings: Pick<ToolSettings, 'waitLimit'>;
};

/**
 * Limit of the time that a call waits for the end of a job, in seconds. Progress keeps a call alive, except in a client that has
 * given up on one before.
 */
export function longestWaitS({ cluster, caller, settings, showsProgress }: Waiting): number {
  const patient = showsProgress && impatient.get(cluster)?.has(caller.name) !== true;
  return settings.waitLimit ?? (patient ? Number.POSITIVE_INFINITY : SILENT_WAIT_S);
}

/** Waits for a job, and notes if the client gives up on it. @throws what `wait` throws */
export async function patiently<T>(
  ctx: Waiting & Pick<ToolContext, 'signal'>,
  wait: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await wait();
  } finally {
    if (ctx.signal.aborted && performance.now() - startedAt >= GIVEN_UP_MS) {
      const callers = impatient.get(ctx.cluster) ?? new Set();
      impatient.set(ctx.cluster, callers.add(ctx.caller.name));
    }
  }
}

/** For messages: `container 101` or `the Proxmox host`. */
export function jobTarget({ vmid }: Pick<Job, 'vmid'>): string {
  return vmid === null ? 'the Proxmox host' : `container ${vmid}`;
}

/** Whether the caller may see a job: it has started the job, and may still use its target. */
export function isOwn(job: Job, { caller, settings }: Pick<ToolContext, 'caller' | 'settings'>): boolean {
  if (job.caller !== caller.name) return false;
  return job.vmid !== null || (settings.enableHostExec && caller.permissions.has('host'));
}

/** @throws AppError JOB_NOT_FOUND for a job of another caller, as for one that does not exist */
export function requireOwn(job: Job, ctx: Pick<ToolContext, 'caller' | 'settings'>): Job {
  if (job.caller !== ctx.caller.name) throw jobNotFound(job.id);
  if (job.vmid === null && !ctx.settings.enableHostExec) throw hostAccessDisabled();
  if (!isOwn(job, ctx)) {
    throw new AppError(
      'RIGHT_MISSING',
      `Job ${job.id} runs on the Proxmox host, and caller ${ctx.caller.name} lacks the permission \`host\`.`,
      'Do not work around this. Tell the user that the call needs a token with the permission `host`.',
    );
  }
  return job;
}

export const jobFields = {
  job: z.string(),
  state: z.enum(['running', 'ended']),
  target: z.string(),
  exit_code: z.number().nullable(),
  ended: z.enum(['exit', 'timeout', 'cancelled', 'stopped', 'lost', 'rebooted']).nullable(),
  duration_ms: z.number().nullable(),
  stdout_bytes: z.number(),
  stderr_bytes: z.number(),
  survivors: z
    .array(z.object({ pid: z.number(), name: z.string() }))
    .nullable()
    .optional(),
};

/** A job with the part of its output that was read, or why it cannot be read. */
export const jobRow = z.object({
  ...z.object(jobFields).partial().shape,
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  offset: z.number().optional(),
  next_offset: z.number().optional(),
  remaining_bytes: z.number().optional(),
  truncated: z.boolean().optional(),
  redacted: z.number().optional(),
  note: z.string().optional(),
  error: z.string().optional(),
  code: z.string().optional(),
  suggestion: z.string().optional(),
});

export type JobRow = z.output<typeof jobRow>;

export function jobData(job: Job) {
  const { end, output } = job;
  const killed = end !== null && end.how !== 'exit';
  return {
    job: job.id,
    state: job.state,
    target: jobTarget(job),
    exit_code: end?.exitCode ?? null,
    ended: end?.how ?? null,
    duration_ms: job.durationMs,
    stdout_bytes: output.stdout.total,
    stderr_bytes: output.stderr.total,
    ...(killed ? { survivors: end.survivors === null ? null : [...end.survivors] } : {}),
  };
}

/** One sentence about the state of a job. */
export function jobState(job: Job): string {
  const time = job.durationMs === null ? '' : ` after ${formatDuration(job.durationMs)}`;
  const name = `Job ${job.id} in ${jobTarget(job)}`;
  if (job.end === null) {
    const since = job.durationMs === null ? '' : ` for ${formatDuration(job.durationMs)}`;
    return `${name} has been running${since} (limit ${formatDuration(job.timeoutS * 1000)}).`;
  }
  const { how, exitCode } = job.end;
  switch (how) {
    case 'exit':
      return exitCode === null
        ? `${name} ended${time}, but its exit code is unknown: the shell that ran the command was killed, or the container was stopped or restarted. ${leftSentence(job)}`
        : `${name} ended${time} with exit code ${exitCode}.`;
    case 'timeout':
      return `${name} was killed at its time limit of ${formatDuration(job.timeoutS * 1000)}. ${leftSentence(job)}`;
    case 'cancelled':
      return `${name} was cancelled${time}. ${leftSentence(job)}`;
    case 'stopped':
      return `${name} was stopped from outside${time}, for example because the node was shut down. Its exit code is unknown. ${leftSentence(job)}`;
    case 'lost':
      return `${name} lost its supervisor on the node, so its exit code is unknown, and its processes may still be running. End them with proxmox_cancel_job.`;
    case 'rebooted':
      return `${name} ended when the node was restarted. Its exit code is unknown.`;
  }
}

function leftSentence({ end }: Job): string {
  const survivors = end?.survivors ?? null;
  if (survivors === null) return 'Whether its processes are gone could not be verified.';
  if (survivors.length === 0) return 'None of its processes is left.';
  const names = survivors.map(({ pid, name }) => `${name} (pid ${pid} on the node)`).join(', ');
  return `These processes survived: ${names}.`;
}

/** Notes for the caller about the output. */
export function jobNotes(job: Job): string[] {
  const dropped = job.output.stdout.dropped + job.output.stderr.dropped;
  const notes: string[] = [];
  if (dropped > 0) {
    notes.push(
      `${dropped} bytes in the middle of the output were dropped, because it was longer than JOB_OUTPUT_LIMIT.`,
    );
  }
  if (job.diskFull) notes.push('The disk of the node was full, so the output is incomplete.');
  if (job.end?.outputHeld === true) notes.push('Background processes of the command are still running.');
  return notes;
}

/** The error fields of a job that did not end by itself. */
export function jobFailure(job: Job): { error?: string; code?: string; suggestion?: string } {
  const code: ErrorCode | undefined = codeOfJob(job);
  if (code === undefined) return {};
  return {
    error: jobState(job),
    code,
    suggestion:
      code === 'CANCELLED'
        ? 'No action is needed. Changes that the command made before the cancellation remain.'
        : 'Check the effects of the command before you repeat it.',
  };
}

/** Interval at which the last line of a job that a call waits for is read, in ms. */
const LINE_INTERVAL_MS = 5_000;
const LINE_BYTES = 1_000;

/** Reports the progress of a job that a call waits for: the size of its output, and its last line every few seconds. */
export function jobProgress(ctx: ToolContext): (job: Job) => void {
  let line = '';
  let readAt = Number.NEGATIVE_INFINITY;
  let seen = { stdout: 0, stderr: 0 };
  return ({ id, output }) => {
    const { stdout, stderr } = output;
    const total = stdout.total + stderr.total;
    ctx.progress(`${formatBytes(total)} of output`, undefined, undefined, () => line);
    const now = performance.now();
    if (now - readAt < LINE_INTERVAL_MS || total === seen.stdout + seen.stderr) return;
    readAt = now;
    const grown = stderr.total > seen.stderr && stdout.total === seen.stdout ? 'stderr' : 'stdout';
    seen = { stdout: stdout.total, stderr: stderr.total };
    // Progress is optional, and the call itself reports a lost connection.
    void ctx.cluster.jobs.read(id, grown, { last: LINE_BYTES }, ctx.signal).then(
      (page) => {
        line = page.text;
      },
      () => {},
    );
  };
}
