import * as z from 'zod';
import type { Job } from '../proxmox/jobs/job-types.ts';
import {
  jobData,
  jobFailure,
  jobId,
  jobNotes,
  jobProgress,
  jobRow,
  longestWaitS,
  patiently,
  requireOwn,
} from './shared/job-fields.ts';
import { jobText } from './shared/job-text.ts';
import { type OutputRequest, readJobOutput, SUMMARY } from './shared/read-job-output.ts';
import { defineTool, type Reply, type ToolContext } from './tool.ts';

/** Limit of jobs in one call. */
const MAX_JOBS = 100;

const output = jobRow.extend({
  // Advertised without their fields, which are those of one job.
  jobs: z
    .array(jobRow)
    .meta({ items: { type: 'object' } })
    .optional(),
});
type Data = z.output<typeof output>;

const byteRule = { error: 'must be an integer of at least 0 (bytes)' };
const tailRule = { error: 'must be an integer of at least 1 (bytes)' };
const waitRule = { error: 'must be an integer from 0 to 300 (seconds)' };
const ONE_OR_SEVERAL = 'Pass `job`, or `jobs` with the IDs of several.';

const input = z
  .strictObject({
    job: jobId.optional(),
    jobs: z
      .array(jobId.meta({ description: undefined }), { error: 'must be a list of job IDs' })
      .min(1, { error: 'must not be empty' })
      .max(MAX_JOBS, { error: `must have at most ${MAX_JOBS} entries` })
      .meta({ minItems: undefined, maxItems: undefined })
      .overwrite((ids) => [...new Set(ids)])
      .optional()
      .describe('IDs of several'),
    stream: z
      .enum(['stdout', 'stderr'], { error: 'must be "stdout" or "stderr"' })
      .optional()
      .describe('Only this one; offset: default stdout'),
    offset: z
      .int(byteRule)
      .min(0, byteRule)
      .meta({ maximum: undefined })
      .optional()
      .describe('Byte to read from'),
    tail: z
      .int(tailRule)
      .min(1, tailRule)
      .meta({ maximum: undefined })
      .optional()
      .describe('Read the last bytes'),
    match: z
      .string({ error: 'must be a string' })
      .min(1, { error: 'must not be empty' })
      .max(200, { error: 'must have at most 200 characters' })
      .refine((value) => !/[\0\n]/.test(value), { error: 'must be one line' })
      .optional()
      .describe('Only lines with this text'),
    wait: z
      .int(waitRule)
      .min(0, waitRule)
      .max(300, waitRule)
      .default(0)
      .describe('Seconds to wait for the end'),
  })
  .superRefine(({ job, jobs, offset }, ctx) => {
    const issue = (name: string, message: string) =>
      ctx.addIssue({ code: 'custom', path: [name], message, params: { remedy: ONE_OR_SEVERAL } });
    if (job === undefined && jobs === undefined) issue('job', 'is required');
    if (job !== undefined && jobs !== undefined) issue('jobs', 'excludes job');
    if (jobs !== undefined && offset !== undefined) issue('offset', 'needs one `job`');
  });

export const getJob = defineTool({
  name: 'proxmox_get_job',
  title: 'State and output of a job',
  description:
    'Get state, exit code and output of a job that was started in the background, or of several in one call; `wait` waits for all. ' +
    `By default the last ${SUMMARY} characters; \`tail\` returns more, \`match\` finds lines, \`offset\` pages through one stream.`,
  toolset: 'jobs',
  effect: 'read',
  input,
  output,
  async run({ job, jobs = [], ...request }, ctx): Promise<Reply<Data>> {
    if (job !== undefined) return readOne(job, request, ctx);
    const { readSeveral } = await import('./shared/several-jobs.ts');
    return readSeveral(jobs, request, ctx);
  },
});

interface Request extends OutputRequest {
  readonly wait: number;
}

async function readOne(id: string, request: Request, ctx: ToolContext): Promise<Reply<Data>> {
  const first = requireOwn(await ctx.cluster.jobs.get(id, ctx.signal), ctx);
  const job = await waited(first, request, ctx);
  const read = await readJobOutput(job, request, ctx, ctx.settings.characterLimit);
  const notes = [...jobNotes(read.job), ...cutWait(read.job, request, ctx)];
  const data: Data = {
    ...jobData(read.job),
    ...read.fields,
    ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
    ...jobFailure(read.job),
  };
  return { data, text: (cleaned) => jobText(cleaned, read) };
}

/**
 * Waits for the end of the job. With an offset, a full page of output after it ends the wait, too. Less output does not: a command
 * that prints a line each second would otherwise cost a call per line.
 */
async function waited(job: Job, input: Request, ctx: ToolContext): Promise<Job> {
  const { offset, stream = 'stdout' } = input;
  if (job.state === 'ended' || input.wait === 0) return job;
  const hasPage = ({ output }: Job) =>
    offset !== undefined && output[stream].total - offset >= ctx.settings.characterLimit;
  if (hasPage(job)) return job;
  const report = jobProgress(ctx);
  return patiently(ctx, () =>
    ctx.cluster.jobs.wait(job.id, {
      withinMs: Math.min(input.wait, longestWaitS(ctx)) * 1000,
      signal: ctx.signal,
      news: (later) => {
        report(later);
        return hasPage(later);
      },
    }),
  );
}

/** Says that the call waited less than the caller wanted, which would otherwise look like a wait that did not work. */
function cutWait(job: Job, { wait }: Request, ctx: ToolContext): string[] {
  const longest = longestWaitS(ctx);
  if (job.state === 'ended' || wait <= longest) return [];
  return [`A call waits at most ${longest} s here. Call again to wait longer.`];
}
