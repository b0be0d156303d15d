import type { Part } from '../../lib/redactor.ts';
import type { ScriptOutput } from '../../remote/remote-shell.ts';
import type { Cleaner } from '../exec/output-buffer.ts';
import { frameLength, gapOf, type JobRecord, totalOf } from './job-record.ts';
import type { JobPage } from './job-types.ts';

/** Bytes before and after a page that are read too, so that a secret at its border is complete. Longer than any private key. */
const MIN_CONTEXT = 16 * 1024;
const MAX_BYTES_PER_UNIT = 3;
/**
 * An unfinished word at the end of the output of a running job is not returned yet, because it may be the beginning of a
 * secret.
 */
const MAX_UNFINISHED = 4_096;

export function contextOf(cleaner: Cleaner): number {
  return Math.max(MIN_CONTEXT, cleaner.overlap * MAX_BYTES_PER_UNIT);
}

/** Bytes of one stream from an offset on, without gaps. Offsets count the lines of the wrapper, too. */
export interface RawPart {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** The parts of a stream that job-read.sh has sent, joined where they touch. */
export function rawParts(output: Pick<ScriptOutput, 'bytes'>, stream: 'out' | 'err'): RawPart[] {
  const parts: { offset: number; chunks: Buffer[]; end: number }[] = [];
  for (const [name, bytes] of output.bytes) {
    const [, kind, offset] = /^(out|err):(\d{1,15})$/.exec(name) ?? [];
    if (kind !== stream) continue;
    const at = Number(offset);
    const last = parts.at(-1);
    if (last?.end === at) {
      last.chunks.push(bytes);
      last.end += bytes.length;
    } else parts.push({ offset: at, chunks: [bytes], end: at + bytes.length });
  }
  return parts.map(({ offset, chunks }) => ({ offset, bytes: Buffer.concat(chunks) }));
}

/**
 * One page of a stream, redacted. It begins and ends between characters, and a secret at its border belongs to the page where
 * it begins. Text next to dropped output is left out, because a secret there may be incomplete.
 * @param from offset in the output, as reported to callers
 */
export async function pageOf(
  record: JobRecord,
  stream: 'out' | 'err',
  raw: readonly RawPart[],
  { from, bytes: count }: { readonly from: number; readonly bytes: number },
  cleaner: Cleaner,
): Promise<JobPage> {
  const frame = frameLength(record);
  const visible = visibleRanges(record, stream, cleaner);
  const total = Math.max(0, visible.end - frame);
  // The first byte at or after `from` that is kept.
  const wanted = from + frame;
  const start = Math.min(
    wanted >= visible.gap.from && wanted < visible.gap.to ? visible.gap.to : wanted,
    visible.end,
  );
  const part = raw.find(({ offset, bytes }) => offset <= start && start < offset + bytes.length);
  const nothing = {
    text: '',
    redacted: 0,
    from: Math.max(0, start - frame),
    next: Math.max(0, start - frame),
    remaining: Math.max(0, total - (start - frame)),
  };
  if (part === undefined) return nothing;
  const hasGap = visible.gap.to > visible.gap.from;
  const limit = hasGap && start < visible.gap.from ? visible.gap.from : visible.end;
  const data = part.bytes;
  const first = nextCharacter(data, start - part.offset);
  const stop = Math.min(start + count, limit);
  const running = record.job.state === 'running';
  const complete = !running && stop === visible.end;
  let last = complete ? stop - part.offset : previousCharacter(data, stop - part.offset);
  if (running && stop === visible.end) last = beforeUnfinishedWord(data, first, last);
  if (last <= first) return nothing;
  const before = data.subarray(0, first).toString('utf8');
  const page = data.subarray(first, last).toString('utf8');
  const after = data.subarray(last).toString('utf8');
  const parts = await cleaner.parts(before + page + after);
  const { text, redacted } = between(parts, before.length, before.length + page.length);
  const next = part.offset + last - frame;
  return {
    text: withoutFrames(text, record.innerWord),
    redacted,
    from: part.offset + first - frame,
    next,
    remaining: Math.max(0, total - next),
  };
}

/** The range of raw offsets that pages show: without the wrapper's lines at both ends, and without the dropped part. */
function visibleRanges(record: JobRecord, stream: 'out' | 'err', cleaner: Cleaner) {
  const files = record.files[stream];
  const { from, to } = gapOf(files);
  const context = to > from ? contextOf(cleaner) : 0;
  const name = stream === 'out' ? 'stdout' : 'stderr';
  const end = record.job.output[name].total + frameLength(record);
  return {
    gap: { from: from - context, to: to + context },
    end: Math.min(end, Math.max(totalOf(files), frameLength(record))),
  };
}

/** The text of the parts that begin within a range, in UTF-16 units of the original. Plain text is cut at the range. */
function between(parts: readonly Part[], from: number, to: number): { text: string; redacted: number } {
  let text = '';
  let redacted = 0;
  let at = 0;
  for (const { shown, original, what } of parts) {
    const end = at + original.length;
    if (what === 'plain') text += shown.slice(Math.max(0, from - at), Math.max(0, to - at));
    else if (at >= from && at < to) {
      text += shown;
      if (what === 'placeholder') redacted += 1;
    }
    at = end;
  }
  return { text, redacted };
}

/** A background process may write after the wrapper, so the line of the wrapper may be in the middle. */
export function withoutFrames(text: string, innerWord: string): string {
  return text.replaceAll(new RegExp(`${innerWord} (?:began|ended)\\n`, 'g'), '');
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function nextCharacter(bytes: Buffer, at: number): number {
  let found = at;
  while (found < at + 3 && isContinuation(bytes[found])) found += 1;
  return Math.min(found, bytes.length);
}

/** The last position up to `at` that is not within a character. An incomplete character at the end belongs to the next page. */
function previousCharacter(bytes: Buffer, at: number): number {
  const end = Math.min(at, bytes.length);
  for (let back = 1; back <= 3 && back <= end; back += 1) {
    const byte = bytes[end - back] ?? 0;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? end - back : end;
  }
  return end;
}

function beforeUnfinishedWord(bytes: Buffer, first: number, last: number): number {
  for (let at = last; at > first && last - at <= MAX_UNFINISHED; at -= 1) {
    const byte = bytes[at - 1] ?? 0;
    if (byte === 0x0a || byte === 0x20 || byte === 0x0d || byte === 0x09) return at;
  }
  return last - first <= MAX_UNFINISHED ? first : last;
}

/** Lines of redacted text that contain `match`, in any case of ASCII letters. */
export function matchingLines(text: string, match: string): string[] {
  const wanted = lower(match);
  return text.split('\n').filter((line) => lower(line).includes(wanted));
}

function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
