import { isAscii } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import type { Part, Redactor } from '../../lib/redactor.ts';
import type { CapturedStream, CapturedStreams, Keep } from '../proxmox-types.ts';
import { shareLimit } from './share-limit.ts';
import { charactersIn, headOf, tailOf, whole } from './truncate.ts';

/** Maximum bytes of UTF-8 per character, and per UTF-16 unit. */
const MAX_BYTES_PER_CHARACTER = 4;
const MAX_BYTES_PER_UNIT = 3;

/** Limit of the chunks that are joined for the end of the output. ssh2's have up to 32 KiB, but may be small. */
const RECENT_CHUNKS = 256;

/** Redacts secrets and escapes unsafe characters; `overlap` is the context that it needs around a cut. */
export type Cleaner = Pick<Redactor, 'parts' | 'overlap'>;

/**
 * Keeps the head and the tail of one output stream and counts the rest, so that memory is limited for any size.
 * The head usually shows what was started, and the tail contains the errors.
 */
export class OutputBuffer {
  readonly #side: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  /** A ring, so that a large output allocates nothing. */
  #tail: Buffer = Buffer.alloc(0);
  #tailAt = 0;
  #tailBytes = 0;
  #characters = 0;
  #totalBytes = 0;
  #skipped = false;
  #newlines = 0;
  #lastByte = NEWLINE;
  readonly #hash: Hash | undefined;

  readonly #limit: number;
  readonly #cleaner: Cleaner;

  /**
   * @param characterLimit the maximum number of characters that will be presented. More is kept, so that a secret at the cut is
   * complete when the output is searched for secrets.
   * @param digest whether the SHA-256 of the whole stream is needed
   */
  constructor(characterLimit: number, cleaner: Cleaner, digest = false) {
    this.#limit = characterLimit;
    this.#hash = digest ? createHash('sha256') : undefined;
    this.#cleaner = cleaner;
    this.#side = characterLimit * MAX_BYTES_PER_CHARACTER + cleaner.overlap * MAX_BYTES_PER_UNIT;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    this.#characters += countCharacters(chunk);
    this.#newlines += countNewlines(chunk);
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    this.#hash?.update(chunk);
    const headRoom = this.#skipped ? 0 : this.#side - this.#headBytes;
    const forHead = chunk.subarray(0, Math.max(0, headRoom));
    if (forHead.length > 0) {
      this.#head.push(Buffer.from(forHead)); // copied, because a slice would keep ssh2's whole packet in memory
      this.#headBytes += forHead.length;
    }
    const rest = chunk.subarray(forHead.length);
    if (rest.length > 0) this.#pushTail(rest);
  }

  /** The end of the output so far, at most `bytes` long. */
  recent(bytes: number): string {
    const kept = this.#tailBytes > 0 ? this.#tailInOrder : this.#head;
    return Buffer.concat(kept.slice(-RECENT_CHUNKS)).subarray(-bytes).toString('utf8');
  }

  /** Counts bytes that were dropped before they arrived here, each as one character. What follows is part of the tail. */
  skip(bytes: number): void {
    this.#totalBytes += bytes;
    this.#characters += bytes;
    this.#skipped = true;
  }

  #pushTail(chunk: Buffer): void {
    if (this.#tail.length === 0) this.#tail = Buffer.allocUnsafeSlow(this.#side);
    this.#tailBytes += chunk.length;
    const last = chunk.subarray(Math.max(0, chunk.length - this.#side));
    const first = last.subarray(0, this.#side - this.#tailAt);
    first.copy(this.#tail, this.#tailAt);
    last.copy(this.#tail, 0, first.length);
    this.#tailAt = (this.#tailAt + last.length) % this.#side;
  }

  /** The last bytes, in order. */
  get #tailInOrder(): readonly Buffer[] {
    const [later, earlier] = [this.#tail.subarray(0, this.#tailAt), this.#tail.subarray(this.#tailAt)];
    return this.#tailBytes < this.#side ? [later] : [earlier, later];
  }

  get #complete(): boolean {
    return this.#tailBytes <= this.#side;
  }

  /** The complete output, redacted and ready to be truncated. Nothing may be pushed after this. */
  async read(): Promise<CleanOutput> {
    const lines = this.#newlines + (this.#lastByte === NEWLINE ? 0 : 1);
    const about = { lines, digest: this.#hash?.digest('hex') ?? null };
    if (this.#complete) {
      const text = Buffer.concat([...this.#head, ...this.#tailInOrder]).toString('utf8');
      const parts = await this.#cleaner.parts(text);
      const length = parts.reduce((sum, { shown }) => sum + charactersIn(shown), 0);
      return new CleanOutput(parts, undefined, { ...about, originalLength: charactersIn(text), length }, 0);
    }
    // In UTF-16 units: enough for half of the limit, at most two units per character, plus the context beyond the cut.
    const units = this.#limit + this.#cleaner.overlap;
    const head = await this.#cleaner.parts(Buffer.concat(this.#head).toString('utf8').slice(0, units));
    const tail = await this.#cleaner.parts(Buffer.concat(this.#tailInOrder).toString('utf8').slice(-units));
    const original = { ...about, originalLength: this.#characters, length: this.#characters };
    return new CleanOutput(head, tail, original, this.#cleaner.overlap);
  }
}

const NEWLINE = 0x0a;

/** The redacted output of one stream: complete, or head and tail. */
export class CleanOutput {
  readonly #parts: readonly Part[];
  readonly #tail: readonly Part[] | undefined;
  readonly #original: Pick<CapturedStream, 'originalLength' | 'lines' | 'digest'>;
  readonly #context: number;
  /** Number of characters of the complete output; a lower bound if the middle was dropped. */
  readonly length: number;

  /**
   * @param original `originalLength` is exact when nothing was dropped, else the number of UTF-8 start bytes
   * @param context UTF-16 units next to the dropped part, in which a secret may be incomplete
   */
  constructor(
    parts: readonly Part[],
    tail: readonly Part[] | undefined,
    { length, ...original }: Pick<CapturedStream, 'originalLength' | 'lines' | 'digest'> & { length: number },
    context: number,
  ) {
    this.#parts = parts;
    this.#context = context;
    this.#tail = tail;
    this.#original = original;
    this.length = length;
  }

  /** The output without what `present` never shows within this limit, for results that are kept until those of others arrive. */
  within(limit: number, keep?: Keep): CleanOutput {
    if (this.#tail === undefined && this.length <= limit) return this;
    const { head, tail } = this.#cut(limit, keep);
    return new CleanOutput(head.parts, tail.parts, { ...this.#original, length: this.length }, 0);
  }

  /** At most `limit` characters, including the note about the omitted part. */
  present(limit: number, keep?: Keep): CapturedStream {
    const { originalLength } = this.#original;
    if (this.#tail === undefined && this.length <= limit) {
      const { text, redacted } = whole(this.#parts);
      return { ...this.#original, text, truncated: false, redacted };
    }
    const { head, tail } = this.#cut(limit, keep);
    const left = originalLength - head.characters - tail.characters;
    const note = omissionNote(left, originalLength).slice(0, limit);
    return {
      ...this.#original,
      text: `${head.text}${note}${tail.text}`,
      truncated: true,
      redacted: head.redacted + tail.redacted,
    };
  }

  /** The head and the tail that are shown of an output that exceeds the limit. */
  #cut(limit: number, keep: Keep = 'both') {
    const { originalLength } = this.#original;
    // Calculated with the longest possible note, so that the result never exceeds the limit.
    const room = Math.max(0, limit - omissionNote(originalLength, originalLength).length);
    const headRoom = { head: room, tail: 0, both: Math.ceil(room / 2) }[keep];
    const head = headOf(this.#parts, headRoom, this.#trusted(this.#parts));
    return {
      head,
      tail: tailOf(this.#tail ?? head.rest, room - headRoom, this.#trusted(this.#tail)),
    };
  }

  /** The trusted part of head or tail: everything except the context next to the dropped part. */
  #trusted(side: readonly Part[] | undefined): number | undefined {
    if (this.#tail === undefined || side === undefined) return undefined;
    return side.reduce((sum, { original }) => sum + original.length, 0) - this.#context;
  }
}

/**
 * Truncates both streams to `limit` characters together (see shareLimit).
 */
export function presentTogether(
  out: CleanOutput,
  err: CleanOutput,
  limit: number,
  keep?: Keep,
): CapturedStreams {
  const { stdout, stderr } = shareLimit(out.length, err.length, limit);
  return { stdout: out.present(stdout, keep), stderr: err.present(stderr, keep) };
}

function omissionNote(omitted: number, total: number): string {
  return `\n[... ${omitted} of ${total} characters omitted ...]\n`;
}

function countNewlines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Counts characters: each has exactly one byte in UTF-8 that is not of the form 10xxxxxx. */
function countCharacters(chunk: Buffer): number {
  if (isAscii(chunk)) return chunk.length; // vectorised; most output is
  let count = 0;
  for (const byte of chunk) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
