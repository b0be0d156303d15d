import type { RemoteShell, ScriptOutput } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { MARK_VARIABLE } from '../../remote/session-requests.ts';
import { type Cleaner, OutputBuffer, presentTogether } from '../exec/output-buffer.ts';
import { JOBS_DIR, jobNotFound, jobsUnreadable } from './job-errors.ts';
import { contextOf, matchingLines, pageOf, type RawPart, rawParts, withoutFrames } from './job-output.ts';
import { frameLength, gapOf, type JobRecord, parseJobs, totalOf } from './job-record.ts';
import type {
  Job,
  JobCapture,
  JobCaptureOptions,
  JobPage,
  JobPart,
  JobStream,
  JobsHandle,
  JobWait,
} from './job-types.ts';
import { JobWatch } from './job-watch.ts';

/** Time limit for the answer of one node about its jobs, in ms. */
export const LOOK_LIMIT_MS = 10_000;
/** A kill takes at most three seconds if the node is not busy; then the job records its end. */
const CANCEL_LIMIT_MS = 30_000;
/** Bytes of matching lines and the lines around them. */
const MATCH_BYTES = 256 * 1024;

export interface NodeJobsDeps {
  /** Runs a script on the node. */
  readonly script: RemoteShell['script'];
  readonly redactor: Cleaner;
  /** Called once for each job that has ended, by the server that sees the end first. If omitted, nothing is claimed. */
  readonly onEnd: ((job: Job) => Promise<void>) | undefined;
}

/** The jobs of one node. */
export class NodeJobs implements Omit<JobsHandle, 'list'> {
  readonly #deps: NodeJobsDeps;
  readonly #watch: JobWatch;

  constructor(deps: NodeJobsDeps) {
    this.#deps = deps;
    this.#watch = new JobWatch((ids) => this.#look(ids));
  }

  async list(signal: AbortSignal): Promise<readonly Job[]> {
    const records = await this.#look([], signal);
    return records.map(({ job }) => job).sort((a, b) => a.startedAt - b.startedAt);
  }

  async get(id: string, signal: AbortSignal): Promise<Job> {
    return (await this.#record(id, signal)).job;
  }

  wait(id: string, options: JobWait): Promise<Job> {
    return this.#watch.wait(id, options);
  }

  async capture(id: string, { characterLimit, keep, signal }: JobCaptureOptions): Promise<JobCapture> {
    const { redactor } = this.#deps;
    // As much as an OutputBuffer keeps at each side.
    const side = characterLimit * 4 + redactor.overlap * 3 + 256;
    const parts = (['out', 'err'] as const).flatMap((stream) => [
      [stream, '0', String(side)],
      [stream, String(-side), String(side)],
    ]);
    const { output, record } = await this.#read(id, parts.flat(), signal);
    const [stdout, stderr] = await Promise.all(
      (['out', 'err'] as const).map(async (stream) => {
        const buffer = new OutputBuffer(characterLimit, redactor);
        fill(buffer, record, stream, rawParts(output, stream));
        return (await buffer.read()).within(characterLimit, keep);
      }),
    );
    if (stdout === undefined || stderr === undefined) throw new TypeError('two streams');
    const shorten = (limit: number) => presentTogether(stdout, stderr, limit, keep);
    return { job: record.job, ...shorten(characterLimit), shorten };
  }

  async read(id: string, stream: JobStream, part: JobPart, signal: AbortSignal): Promise<JobPage> {
    const name = stream === 'stdout' ? 'out' : 'err';
    const { redactor } = this.#deps;
    if ('match' in part) return this.#match(id, name, part.match, signal);
    const context = contextOf(redactor);
    // Reads a little more, because the length of the wrapper's first line is not known before the record is read.
    const slack = 128;
    const request =
      'last' in part
        ? [String(-(part.last + context + slack)), String(part.last + context + slack)]
        : [String(Math.max(0, part.from - context)), String(part.bytes + 2 * context + slack)];
    let { output, record } = await this.#read(id, [name, ...request], signal);
    const total = record.job.output[stream].total;
    const wanted = 'last' in part ? { from: Math.max(0, total - part.last), bytes: part.last } : part;
    const { from, to } = gapOf(record.files[name]);
    const start = wanted.from + frameLength(record);
    // The requested part was dropped, so the part after it is read.
    if (to > from && start >= from - context && start < to + context) {
      const after = [name, String(to), String(wanted.bytes + 3 * context + slack)];
      ({ output, record } = await this.#read(id, after, signal));
    }
    return pageOf(record, name, rawParts(output, name), wanted, redactor);
  }

  async cancel(id: string, signal: AbortSignal): Promise<Job> {
    const { run, since, sameBoot, job } = await this.#record(id, signal);
    const hasProcesses = job.end === null || job.end.how === 'lost';
    if (!hasProcesses || !sameBoot) return job;
    const kill = [`${MARK_VARIABLE}=${run.id}`, String(run.slackNs), '20', '40', String(since)];
    await this.#deps.script(SCRIPTS.jobCancel, [JOBS_DIR, id, ...kill], {
      timeoutMs: CANCEL_LIMIT_MS,
    });
    return (await this.#record(id, signal)).job;
  }

  async #match(id: string, stream: 'out' | 'err', match: string, signal: AbortSignal): Promise<JobPage> {
    const output = await this.#script(SCRIPTS.jobMatch, [id, stream, match, String(MATCH_BYTES)], signal);
    const record = this.#only(id, await this.#parsed(output));
    const text = (output.sections.get('match') ?? '').replace(/\n$/, '');
    const cut = Buffer.byteLength(text) >= MATCH_BYTES;
    const parts = await this.#deps.redactor.parts(text);
    const shown = withoutFrames(parts.map((part) => part.shown).join(''), record.innerWord);
    // A secret of several lines may begin before the cut.
    const whole = cut ? shown.split('\n').slice(61).join('\n') : shown;
    const lines = matchingLines(whole, match);
    return {
      text: lines.map((line) => `${line}\n`).join(''),
      redacted: parts.filter(({ what }) => what === 'placeholder').length,
      from: 0,
      next: 0,
      remaining: 0,
    };
  }

  async #record(id: string, signal?: AbortSignal): Promise<JobRecord> {
    return this.#only(id, await this.#look([id], signal));
  }

  #only(id: string, records: readonly JobRecord[]): JobRecord {
    const found = records.find(({ job }) => job.id === id);
    if (found === undefined) throw jobNotFound(id);
    return found;
  }

  async #read(id: string, parts: readonly string[], signal: AbortSignal) {
    const output = await this.#script(SCRIPTS.jobRead, [id, ...parts], signal);
    return { output, record: this.#only(id, await this.#parsed(output)) };
  }

  async #look(ids: readonly string[], signal?: AbortSignal): Promise<readonly JobRecord[]> {
    return this.#parsed(await this.#script(SCRIPTS.jobList, ids, signal));
  }

  #script(script: string, args: readonly string[], signal?: AbortSignal): Promise<ScriptOutput> {
    return this.#deps.script(script, [JOBS_DIR, ...args], { timeoutMs: LOOK_LIMIT_MS, signal });
  }

  async #parsed(output: ScriptOutput): Promise<readonly JobRecord[]> {
    const records = parseJobs(output);
    if (records === undefined) throw jobsUnreadable();
    await this.#logEnds(records);
    return records;
  }

  /**
   * Claims the audit entries of jobs whose end was not logged yet. The end of a job that another server has claimed is logged
   * by that server.
   */
  async #logEnds(records: readonly JobRecord[]): Promise<void> {
    const { onEnd } = this.#deps;
    const unlogged = records.filter((record) => record.unlogged);
    if (onEnd === undefined || unlogged.length === 0) return;
    const ids = unlogged.map(({ job }) => job.id);
    const { items } = await this.#deps.script(SCRIPTS.jobClaim, [JOBS_DIR, ...ids], {
      timeoutMs: LOOK_LIMIT_MS,
    });
    const claimed = items.flatMap(([key, id]) => (key === 'claimed' ? [id] : []));
    for (const { job } of unlogged) if (claimed.includes(job.id)) await onEnd(job);
  }
}

/** Adds the head and the tail of a stream to a buffer, and counts what is between them. */
function fill(
  buffer: OutputBuffer,
  record: JobRecord,
  stream: 'out' | 'err',
  parts: readonly RawPart[],
): void {
  const frame = frameLength(record);
  const end = record.job.output[stream === 'out' ? 'stdout' : 'stderr'].total + frame;
  let at = frame;
  for (const { offset, bytes } of parts) {
    const from = Math.max(at, offset);
    const to = Math.min(end, offset + bytes.length);
    if (to <= from) continue;
    if (from > at) buffer.skip(from - at);
    buffer.push(bytes.subarray(from - offset, to - offset));
    at = to;
  }
  if (end > at && totalOf(record.files[stream]) > at) buffer.skip(end - at);
}
