import * as z from 'zod';
import { errorText } from '../lib/error-text.ts';
import type { Job, JobPage, JobStream } from '../proxmox/jobs/job-types.ts';
import { frameWord } from './shared/format.ts';
import {
  jobData,
  jobFailure,
  jobFields,
  jobId,
  jobNotes,
  jobProgress,
  jobState,
  longestWaitS,
  requireOwn,
} from './shared/job-fields.ts';
import { outputSection } from './shared/present-exec.ts';
import { defineTool, type ToolContext } from './tool.ts';

const output = z.object({
  ...jobFields,
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
type Data = z.output<typeof output>;

const byteRule = { error: 'must be an integer of at least 0 (bytes)' };
const tailRule = { error: 'must be an integer of at least 1 (bytes)' };
const waitRule = { error: 'must be an integer from 0 to 300 (seconds)' };

export const getJob = defineTool({
  name: 'proxmox_get_job',
  title: 'State and output of a job',
  description:
    'Get state, exit code and output of a job that was started in the background. ' +
    'By default beginning and end of both streams; `offset` pages through one, `match` finds lines in it.',
  toolset: 'jobs',
  effect: 'read',
  input: z.strictObject({
    job: jobId,
    stream: z
      .enum(['stdout', 'stderr'], { error: 'must be "stdout" or "stderr"' })
      .default('stdout')
      .describe('For offset, tail, match'),
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
  }),
  output,
  async run(input, ctx) {
    const { jobs } = ctx.cluster;
    const first = requireOwn(await jobs.get(input.job, ctx.signal), ctx);
    const job = await waited(first, input, ctx);
    const read = await outputOf(job, input, ctx);
    const notes = [...jobNotes(read.job), ...cutWait(read.job, input, ctx)];
    const data: Data = {
      ...jobData(read.job),
      ...read.fields,
      ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
      ...jobFailure(read.job),
    };
    return { data, text: (cleaned) => jobText(cleaned, read.job) };
  },
});

interface Input {
  readonly stream: JobStream;
  readonly offset?: number | undefined;
  readonly tail?: number | undefined;
  readonly match?: string | undefined;
  readonly wait: number;
}

/**
 * Waits for the end of the job. With an offset, a full page of output after it ends the wait, too. Less output does not: a command
 * that prints a line each second would otherwise cost a call per line.
 */
async function waited(job: Job, input: Input, ctx: ToolContext): Promise<Job> {
  const { offset, stream } = input;
  if (job.state === 'ended' || input.wait === 0) return job;
  const hasPage = ({ output }: Job) =>
    offset !== undefined && output[stream].total - offset >= ctx.settings.characterLimit;
  if (hasPage(job)) return job;
  const report = jobProgress(ctx);
  return ctx.cluster.jobs.wait(job.id, {
    withinMs: Math.min(input.wait, longestWaitS(ctx)) * 1000,
    signal: ctx.signal,
    news: (later) => {
      report(later);
      return hasPage(later);
    },
  });
}

/** Says that the call waited less than the caller wanted, which would otherwise look like a wait that did not work. */
function cutWait(job: Job, { wait }: Input, ctx: ToolContext): string[] {
  const longest = longestWaitS(ctx);
  if (job.state === 'ended' || wait <= longest) return [];
  return [`A call waits at most ${longest} s here. Call again to wait longer.`];
}

async function outputOf(
  job: Job,
  input: Input,
  ctx: ToolContext,
): Promise<{ job: Job; fields: Partial<Data> }> {
  const { jobs } = ctx.cluster;
  const { characterLimit } = ctx.settings;
  const { stream, offset, tail, match } = input;
  if (offset === undefined && tail === undefined && match === undefined) {
    const capture = await jobs.capture(job.id, { characterLimit, signal: ctx.signal });
    const { stdout, stderr } = capture;
    const redacted = stdout.redacted + stderr.redacted;
    return {
      job: capture.job,
      fields: {
        stdout: stdout.text,
        stderr: stderr.text,
        truncated: stdout.truncated || stderr.truncated,
        ...(redacted === 0 ? {} : { redacted }),
      },
    };
  }
  if (match !== undefined) {
    const page = await jobs.read(job.id, stream, { match }, ctx.signal);
    // The latest lines are the most useful ones.
    const text =
      page.text.length > characterLimit ? page.text.slice(-characterLimit).replace(/^.*\n/, '') : page.text;
    return {
      job,
      fields: { [stream]: text, truncated: text.length < page.text.length, ...redactedIn(page) },
    };
  }
  const part =
    tail === undefined
      ? { from: offset ?? 0, bytes: characterLimit }
      : { last: Math.min(tail, characterLimit) };
  const page = await jobs.read(job.id, stream, part, ctx.signal);
  return {
    job,
    fields: {
      [stream]: page.text,
      offset: page.from,
      next_offset: page.next,
      remaining_bytes: page.remaining,
      ...redactedIn(page),
    },
  };
}

function redactedIn({ redacted }: JobPage): { redacted?: number } {
  return redacted === 0 ? {} : { redacted };
}

function jobText(data: Data, job: Job): string {
  const word = frameWord();
  const sections = [jobState(job)];
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = data[stream];
    if (text === undefined || text === '') continue;
    const title = stream.toUpperCase();
    const range = data.offset === undefined ? '' : ` (bytes ${data.offset} to ${data.next_offset})`;
    sections.push(outputSection(`${title}${range}`, word, text, null));
  }
  if (sections.length === 1)
    sections.push(data.offset === undefined ? '(no output)' : '(no output at this offset)');
  if (data.remaining_bytes !== undefined && data.remaining_bytes > 0) {
    sections.push(`${data.remaining_bytes} bytes follow. Continue with offset ${data.next_offset}.`);
  } else if (data.next_offset !== undefined && data.state === 'running') {
    sections.push(`Continue with offset ${data.next_offset}.`);
  }
  if (data.error !== undefined)
    sections.push(errorText(String(data.code), data.error, String(data.suggestion)));
  if (data.note !== undefined) sections.push(`Note: ${data.note}`);
  return sections.join('\n\n');
}
