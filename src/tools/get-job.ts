import * as z from 'zod';
import { errorText } from '../lib/error-text.ts';
import { shareLimit } from '../proxmox/exec/share-limit.ts';
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
  patiently,
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
    'By default beginning and end of both streams; `match` finds lines, `offset` pages through one stream.',
  toolset: 'jobs',
  effect: 'read',
  input: z.strictObject({
    job: jobId,
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
    return { data, text: (cleaned) => jobText(cleaned, read) };
  },
});

interface Input {
  readonly stream?: JobStream | undefined;
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
function cutWait(job: Job, { wait }: Input, ctx: ToolContext): string[] {
  const longest = longestWaitS(ctx);
  if (job.state === 'ended' || wait <= longest) return [];
  return [`A call waits at most ${longest} s here. Call again to wait longer.`];
}

/** What was read of the output. */
interface Read {
  readonly job: Job;
  readonly fields: Partial<Data>;
  /** The bytes that were read, where they are a range. */
  readonly ranges?: Partial<Record<JobStream, JobPage>>;
  /** The stream that was not read. */
  readonly other?: JobStream;
}

async function outputOf(job: Job, input: Input, ctx: ToolContext): Promise<Read> {
  const { stream, offset, tail, match } = input;
  if (match !== undefined) return matchesOf(job, match, stream, ctx);
  if (tail !== undefined && stream === undefined) return endsOf(job, tail, ctx);
  if (tail === undefined && offset === undefined) return captureOf(job, ctx);
  const { characterLimit } = ctx.settings;
  const part =
    tail === undefined
      ? { from: offset ?? 0, bytes: characterLimit }
      : { last: Math.min(tail, characterLimit) };
  const selected = stream ?? 'stdout';
  const page = await ctx.cluster.jobs.read(job.id, selected, part, ctx.signal);
  return {
    job,
    fields: {
      [selected]: page.text,
      offset: page.from,
      next_offset: page.next,
      remaining_bytes: page.remaining,
      ...redactedIn(page),
    },
    ranges: { [selected]: page },
    other: otherThan(selected),
  };
}

/** Beginning and end of both streams. */
async function captureOf({ id }: Job, { cluster, settings, signal }: ToolContext): Promise<Read> {
  const { characterLimit } = settings;
  const { job, stdout, stderr } = await cluster.jobs.capture(id, { characterLimit, signal });
  return {
    job,
    fields: {
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: stdout.truncated || stderr.truncated,
      ...redactedIn(stdout, stderr),
    },
  };
}

/** The last bytes of both streams. */
async function endsOf(job: Job, tail: number, { cluster, settings, signal }: ToolContext): Promise<Read> {
  // The output of a running job may have grown since.
  const available = (name: JobStream) =>
    job.state === 'running' ? tail : Math.min(tail, job.output[name].total);
  const most = shareLimit(available('stdout'), available('stderr'), settings.characterLimit);
  const read = (name: JobStream, last: number) =>
    cluster.jobs.read(job.id, name, { last: Math.max(1, last) }, signal);
  const [stdout, stderr] = await Promise.all([read('stdout', most.stdout), read('stderr', most.stderr)]);
  return {
    job,
    fields: {
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: stdout.from + stderr.from > 0,
      ...redactedIn(stdout, stderr),
    },
    ranges: { stdout, stderr },
  };
}

/** The last lines with a text, which are the most useful ones, of the selected stream or of both. */
async function matchesOf(
  job: Job,
  match: string,
  selected: JobStream | undefined,
  { cluster, settings, signal }: ToolContext,
): Promise<Read> {
  const read = async (name: JobStream) => {
    const isRead = selected === undefined || selected === name;
    return isRead ? await cluster.jobs.read(job.id, name, { match }, signal) : undefined;
  };
  const [stdout, stderr] = await Promise.all([read('stdout'), read('stderr')]);
  const pages = [stdout, stderr].flatMap((page) => page ?? []);
  const most = shareLimit(stdout?.text.length ?? 0, stderr?.text.length ?? 0, settings.characterLimit);
  const shown = { ...lastLines('stdout', stdout, most.stdout), ...lastLines('stderr', stderr, most.stderr) };
  const length = (parts: readonly (string | undefined)[]) => parts.join('').length;
  return {
    job,
    fields: {
      ...shown,
      truncated: length([shown.stdout, shown.stderr]) < length(pages.map(({ text }) => text)),
      ...redactedIn(...pages),
    },
    ...(selected === undefined ? {} : { other: otherThan(selected) }),
  };
}

function lastLines(
  name: JobStream,
  page: JobPage | undefined,
  limit: number,
): { stdout?: string; stderr?: string } {
  if (page === undefined) return {};
  const { text } = page;
  return { [name]: text.length > limit ? text.slice(text.length - limit).replace(/^.*\n/, '') : text };
}

function otherThan(stream: JobStream): JobStream {
  return stream === 'stdout' ? 'stderr' : 'stdout';
}

function redactedIn(...parts: readonly { readonly redacted: number }[]): { redacted?: number } {
  const redacted = parts.reduce((sum, part) => sum + part.redacted, 0);
  return redacted === 0 ? {} : { redacted };
}

function jobText(data: Data, { job, ranges = {}, other }: Read): string {
  const word = frameWord();
  const sections = [jobState(job)];
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = data[stream];
    if (text === undefined || text === '') continue;
    const title = stream.toUpperCase();
    const page = ranges[stream];
    const range = page === undefined ? '' : ` (bytes ${page.from} to ${page.next})`;
    sections.push(outputSection(`${title}${range}`, word, text, null));
  }
  if (sections.length === 1)
    sections.push(data.offset === undefined ? '(no output)' : '(no output at this offset)');
  if (data.remaining_bytes !== undefined && data.remaining_bytes > 0) {
    sections.push(`${data.remaining_bytes} bytes follow. Continue with offset ${data.next_offset}.`);
  } else if (data.next_offset !== undefined && data.state === 'running') {
    sections.push(`Continue with offset ${data.next_offset}.`);
  }
  if (other !== undefined) sections.push(`${other} has ${job.output[other].total} bytes.`);
  if (data.error !== undefined)
    sections.push(errorText(String(data.code), data.error, String(data.suggestion)));
  if (data.note !== undefined) sections.push(`Note: ${data.note}`);
  return sections.join('\n\n');
}
