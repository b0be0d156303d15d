import type { Job, JobCapture } from '../../proxmox/jobs/job-types.ts';
import type { ExecResult, ExecTarget, Keep } from '../../proxmox/proxmox-types.ts';
import type { ToolContext } from '../tool.ts';
import { jobProgress } from './job-fields.ts';

/** A command that is run as a job. */
export interface JobRequest {
  readonly tool: string;
  readonly command: string;
  readonly timeoutS: number;
  readonly characterLimit: number;
  readonly keep: Keep;
  /**
   * Whether the caller has requested a job. Otherwise the command is a job only because the call must not exceed WAIT_LIMIT.
   */
  readonly background: boolean;
}

/**
 * Time that a call waits for a background job, in ms: a command with a typing error ends at once, and its result is then
 * returned.
 */
const BRIEF_MS = 400;
/** Part of WAIT_LIMIT that is left for the start of the job and for reading its output, in ms. */
const MARGIN_MS = 2_000;

/** Starts a job, and waits for its end as long as the call may last. */
export async function runAsJob(
  target: ExecTarget,
  request: JobRequest,
  ctx: ToolContext,
): Promise<JobCapture> {
  const startedAt = performance.now();
  const { tool, command, timeoutS, characterLimit, keep, background } = request;
  const { settings, signal, caller, precondition } = ctx;
  const { jobs } = ctx.cluster;
  const { id } = await target.startJob(command, {
    tool,
    caller: caller.name,
    approval: precondition?.approvalId ?? null,
    timeoutS,
    outputLimit: settings.jobOutputLimit,
    signal,
  });
  const waitMs = (settings.waitLimit ?? 0) * 1000 - MARGIN_MS - (performance.now() - startedAt);
  const report = jobProgress(ctx);
  const news = (job: Job) => {
    report(job);
    return false;
  };
  try {
    await jobs.wait(id, { withinMs: background ? BRIEF_MS : Math.max(BRIEF_MS, waitMs), signal, news });
  } catch (error) {
    if (!signal.aborted || background) throw error;
    // A cancelled call returns no result, so the caller would not get the id of the job.
    await jobs.cancel(id, new AbortController().signal);
  }
  const reading = background ? signal : new AbortController().signal;
  return jobs.capture(id, { characterLimit, keep, signal: reading });
}

/** The result of an ended job, in the form of a command's result. */
export function toExecResult({ job, stdout, stderr, shorten }: JobCapture): ExecResult {
  const { end, durationMs } = job;
  const how = end?.how === 'timeout' || end?.how === 'cancelled' ? end.how : 'exit';
  return {
    stdout,
    stderr,
    shorten,
    exitCode: end?.exitCode ?? null,
    ended: how,
    durationMs: durationMs ?? 0,
    survivors: how === 'exit' && end?.exitCode !== null ? [] : (end?.survivors ?? null),
    outputHeld: end?.outputHeld ?? false,
  };
}
