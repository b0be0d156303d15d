import type { CallToolResult } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Caller } from '../lib/caller.ts';
import type { Job } from '../proxmox/jobs/job-types.ts';
import { cancelJob } from '../tools/cancel-job.ts';
import { toExecResult } from '../tools/shared/background.ts';
import { jobState, jobTarget, requireOwn } from '../tools/shared/job-fields.ts';
import { presentExec } from '../tools/shared/present-exec.ts';
import type { ServerDeps } from './call-deps.ts';
import { callTool } from './pipeline.ts';
import { presentReply } from './present.ts';

/** A job as the task of the call that started it. */
export interface JobTask {
  readonly job: Job;
  /** One sentence about its state. */
  readonly message: string;
  /** The result that the call would have had; null while it runs, and if it was cancelled. */
  readonly result: CallToolResult | null;
}

/**
 * The state of a job of this caller. Not logged, because the start and the end of the job are.
 * @throws AppError JOB_NOT_FOUND, also for jobs of other callers; if the node cannot be reached
 */
export async function readJobTask(
  id: string,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
  deps: ServerDeps,
): Promise<JobTask> {
  const { jobs } = await deps.cluster();
  const { settings, redactor } = deps;
  const job = requireOwn(await jobs.get(id, signal), { caller, settings });
  const message = redactor.show(jobState(job));
  if (job.end === null || job.end.how === 'cancelled') return { job, message, result: null };
  const { characterLimit } = settings;
  const capture = await jobs.capture(id, { characterLimit, signal });
  const reply = presentExec(toExecResult(capture), {
    timeoutS: job.timeoutS,
    keep: 'both',
    format: 'text',
    label: jobTarget(job),
  });
  return { job, message, result: await presentReply(reply, redactor) };
}

/**
 * Cancels a job of this caller, as a call of proxmox_cancel_job: checked and logged like any other.
 * @returns the error of the call; undefined if it succeeded
 */
export async function cancelJobTask(
  id: string,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
  deps: ServerDeps,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  // The tools of the toolset `jobs` need not be listed for clients with tasks.
  const settings = { ...deps.settings, toolsets: [...deps.settings.toolsets, cancelJob.toolset] };
  const call = { tool: cancelJob, caller, args: { job: id }, signal };
  const result = await callTool(call, { ...deps, settings });
  const failed = failure.safeParse(result);
  return failed.success ? failed.data.structuredContent : undefined;
}

const failure = z
  .object({
    isError: z.literal(true),
    structuredContent: z.object({
      code: z.string().default('CANCELLED'),
      error: z.string().optional(),
      message: z.string().optional(),
    }),
  })
  .transform(({ structuredContent: { code, error, message = '' } }) => ({
    structuredContent: { code, message: error ?? message },
  }));
