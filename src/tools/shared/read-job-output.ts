import { shareLimit } from '../../proxmox/exec/share-limit.ts';
import type { Job, JobPage, JobStream } from '../../proxmox/jobs/job-types.ts';
import type { ToolContext } from '../tool.ts';

/** Characters of output that are returned by default: the end, where commands say what they have done. */
export const SUMMARY = 600;

/** The part of the output that a call selects; by default the end of both streams. */
export interface OutputRequest {
  readonly stream?: JobStream | undefined;
  readonly offset?: number | undefined;
  readonly tail?: number | undefined;
  readonly match?: string | undefined;
}

interface OutputFields {
  stdout?: string;
  stderr?: string;
  offset?: number;
  next_offset?: number;
  remaining_bytes?: number;
  truncated?: boolean;
  redacted?: number;
}

type Reader = Pick<ToolContext, 'cluster' | 'signal'>;

/** What was read of the output. */
export interface JobOutput {
  readonly job: Job;
  readonly fields: OutputFields;
  /** The bytes that were read, where they are a range. */
  readonly ranges?: Partial<Record<JobStream, JobPage>>;
  /** The stream that was not read. */
  readonly other?: JobStream;
}

/**
 * Reads the selected part of the output.
 * @param limit maximum characters of both streams
 * @throws AppError JOB_NOT_FOUND; if the node cannot be reached
 */
export async function readJobOutput(
  job: Job,
  request: OutputRequest,
  ctx: Reader,
  limit: number,
): Promise<JobOutput> {
  const { stream, offset, tail, match } = request;
  if (match !== undefined) return matchesOf(job, { match, stream }, ctx, limit);
  if (tail !== undefined && stream === undefined) return endsOf(job, tail, ctx, limit);
  if (stream === undefined && offset === undefined) return summaryOf(job, ctx, limit);
  const part =
    offset === undefined ? { last: Math.min(tail ?? SUMMARY, limit) } : { from: offset, bytes: limit };
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

/** The end of both streams. */
async function summaryOf({ id }: Job, { cluster, signal }: Reader, limit: number): Promise<JobOutput> {
  const characterLimit = Math.min(SUMMARY, limit);
  const { job, stdout, stderr } = await cluster.jobs.capture(id, { characterLimit, keep: 'tail', signal });
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
async function endsOf(
  job: Job,
  tail: number,
  { cluster, signal }: Reader,
  limit: number,
): Promise<JobOutput> {
  // The output of a running job may have grown since.
  const available = (name: JobStream) =>
    job.state === 'running' ? tail : Math.min(tail, job.output[name].total);
  const most = shareLimit(available('stdout'), available('stderr'), limit);
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
  { match, stream: selected }: { readonly match: string; readonly stream: JobStream | undefined },
  { cluster, signal }: Reader,
  limit: number,
): Promise<JobOutput> {
  const read = async (name: JobStream) => {
    const isRead = selected === undefined || selected === name;
    return isRead ? await cluster.jobs.read(job.id, name, { match }, signal) : undefined;
  };
  const [stdout, stderr] = await Promise.all([read('stdout'), read('stderr')]);
  const pages = [stdout, stderr].flatMap((page) => page ?? []);
  const most = shareLimit(stdout?.text.length ?? 0, stderr?.text.length ?? 0, limit);
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

/** How many characters a call wants of a job, for fair shares. Bytes, which are never fewer. */
export function wantedOf({ output }: Job, { stream, tail, match }: OutputRequest): number {
  if (match !== undefined) return Number.MAX_SAFE_INTEGER;
  const totals = stream === undefined ? [output.stdout.total, output.stderr.total] : [output[stream].total];
  if (tail === undefined)
    return Math.min(
      SUMMARY,
      totals.reduce((sum, total) => sum + total, 0),
    );
  return totals.reduce((sum, total) => sum + Math.min(total, tail), 0);
}
