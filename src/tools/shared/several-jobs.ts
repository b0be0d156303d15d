import { AppError } from '../../lib/errors.ts';
import type { Job } from '../../proxmox/jobs/job-types.ts';
import type { Reply, ToolContext } from '../tool.ts';
import { runPerNode } from './batches.ts';
import { fairShares } from './equal-outputs.ts';
import {
  type JobRow,
  jobData,
  jobFailure,
  jobNotes,
  longestWaitS,
  patiently,
  requireOwn,
} from './job-fields.ts';
import { jobsText } from './job-text.ts';
import { type OutputRequest, readJobOutput, wantedOf } from './read-job-output.ts';

/** A job, or why it cannot be read: the others are read anyway. */
type Found = Job | AppError;

interface Read {
  readonly job: Job | null;
  readonly row: JobRow;
}

/** The data of a call on several jobs. */
interface SeveralJobs {
  jobs?: JobRow[] | undefined;
  note?: string | undefined;
  error?: string | undefined;
  code?: string | undefined;
}

/**
 * Waits until all jobs have ended or the time is over, and reads a fair share of the output of each.
 * @returns a row for each of `ids`, in their order; an error if none can be read
 * @throws AppError CANCELLED; if no node answers
 */
export async function readSeveral(
  ids: readonly string[],
  request: OutputRequest & { readonly wait: number },
  ctx: ToolContext,
): Promise<Reply<SeveralJobs>> {
  const found = await waitForAll(await find(ids, ctx), request.wait, ctx);
  const wanted = found.map((job) => (job instanceof AppError ? 0 : wantedOf(job, request)));
  const shares = fairShares(wanted, ctx.settings.characterLimit);
  const parts = found.map((job, index) => ({
    job,
    id: ids[index] ?? '',
    share: shares[index] ?? 0,
    node: null,
  }));
  const reads = await runPerNode(parts, ({ job, id, share }) => readRow(id, job, share, request, ctx));
  const rows = reads.map(({ row }) => row);
  const isCut = request.wait > longestWaitS(ctx) && reads.some(({ job }) => job?.state === 'running');
  const note = isCut
    ? { note: `A call waits at most ${longestWaitS(ctx)} s here. Call again to wait longer.` }
    : {};
  const failed = reads.every(({ job }) => job === null);
  const failure = failed ? { error: 'None of the jobs can be read.', code: rows[0]?.code ?? 'INTERNAL' } : {};
  return {
    data: { jobs: rows, ...note, ...failure },
    text: ({ jobs = [], note: said }) => {
      const text = jobsText(
        jobs,
        reads.map(({ job }) => job),
      );
      return said === undefined ? text : `${text}\n\nNote: ${said}`;
    },
    ...(failed ? { isError: true } : {}),
  };
}

/** Finds all jobs with one read of each node. Those that are in no list are searched for, which says why they are missing. */
async function find(ids: readonly string[], ctx: ToolContext): Promise<Found[]> {
  const { jobs } = await ctx.cluster.jobs.list(ctx.signal);
  const known = new Map(jobs.map((job) => [job.id, job]));
  const wanted = ids.map((id) => ({ id, node: null }));
  return runPerNode(wanted, ({ id }) =>
    orError(ctx, async () => requireOwn(known.get(id) ?? (await ctx.cluster.jobs.get(id, ctx.signal)), ctx)),
  );
}

async function waitForAll(
  found: readonly Found[],
  waitS: number,
  ctx: ToolContext,
): Promise<readonly Found[]> {
  if (waitS === 0) return found;
  const withinMs = Math.min(waitS, longestWaitS(ctx)) * 1000;
  let ended = found.filter((job) => !(job instanceof AppError) && job.state === 'ended').length;
  const waitFor = async (job: Found): Promise<Found> => {
    if (job instanceof AppError || job.state === 'ended') return job;
    const last = await orError(ctx, () =>
      ctx.cluster.jobs.wait(job.id, {
        withinMs,
        signal: ctx.signal,
        news: () => {
          ctx.progress(`${ended} of ${found.length} jobs have ended`, ended, found.length);
          return false;
        },
      }),
    );
    if (!(last instanceof AppError) && last.state === 'ended') ended += 1;
    return last;
  };
  return patiently(ctx, () => Promise.all(found.map(waitFor)));
}

async function readRow(
  id: string,
  found: Found,
  share: number,
  request: OutputRequest,
  ctx: ToolContext,
): Promise<Read> {
  const read =
    found instanceof AppError
      ? found
      : await orError(ctx, () => readJobOutput(found, request, ctx, Math.max(1, share)));
  if (read instanceof AppError) return { job: null, row: { job: id, code: read.code, error: read.message } };
  const notes = jobNotes(read.job);
  const note = notes.length === 0 ? {} : { note: notes.join(' ') };
  return { job: read.job, row: { ...jobData(read.job), ...read.fields, ...note, ...jobFailure(read.job) } };
}

/** An AppError is the result of its job and does not end the call. */
async function orError<T>({ signal }: ToolContext, work: () => Promise<T>): Promise<T | AppError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && !signal.aborted) return error;
    throw error;
  }
}
