import { isAscii } from 'node:buffer';
import type { CapturedStream } from './types.ts';

/** UTF-8 needs at most this many bytes a character. */
const MAX_BYTES_PER_CHARACTER = 4;

/**
 * Keeps the head and the tail of one output stream and counts the rest: memory stays flat at any size.
 * The head tells what was started, the tail how it ended; errors are mostly at the end.
 */
export class StreamCapture {
  readonly #side: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  readonly #tail: Buffer[] = [];
  #tailBytes = 0;
  #characters = 0;
  #totalBytes = 0;

  /** @param characterLimit the most characters that `present` will ever be asked for. */
  constructor(characterLimit: number) {
    this.#side = characterLimit * MAX_BYTES_PER_CHARACTER;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    this.#characters += countCharacters(chunk);
    const headRoom = this.#side - this.#headBytes;
    const forHead = chunk.subarray(0, Math.max(0, headRoom));
    if (forHead.length > 0) {
      this.#head.push(Buffer.from(forHead)); // copied: a slice would keep ssh2's whole packet alive
      this.#headBytes += forHead.length;
    }
    const rest = chunk.subarray(forHead.length);
    if (rest.length > 0) this.#pushTail(rest);
  }

  #pushTail(chunk: Buffer): void {
    const kept = Buffer.from(chunk.length > this.#side ? chunk.subarray(chunk.length - this.#side) : chunk);
    this.#tail.push(kept);
    this.#tailBytes += kept.length;
    let first = this.#tail[0];
    while (first !== undefined && this.#tailBytes - first.length >= this.#side) {
      this.#tail.shift();
      this.#tailBytes -= first.length;
      first = this.#tail[0];
    }
  }

  /** Characters seen so far: exact when nothing was dropped, else by counting UTF-8 start bytes. */
  get length(): number {
    return this.#complete ? [...this.#wholeText()].length : this.#characters;
  }

  get #complete(): boolean {
    return this.#totalBytes === this.#headBytes + this.#tailBytes;
  }

  #wholeText(): string {
    return Buffer.concat([...this.#head, ...this.#tail]).toString('utf8');
  }

  /** The stream as text of at most `limit` characters, the note about what is missing included. */
  present(limit: number): CapturedStream {
    const originalLength = this.length;
    if (originalLength <= limit && this.#complete) {
      return { text: this.#wholeText(), truncated: false, originalLength };
    }
    // Room is reckoned with the longest note there can be, so that the whole never exceeds the limit.
    const room = Math.max(0, limit - omissionNote(originalLength, originalLength).length);
    const headCount = Math.ceil(room / 2);
    const tailCount = room - headCount;
    const note = omissionNote(originalLength - room, originalLength).slice(0, limit);
    const head = [...Buffer.concat(this.#head).toString('utf8')].slice(0, headCount).join('');
    const tailText = this.#complete ? this.#wholeText() : Buffer.concat(this.#tail).toString('utf8');
    const tail = tailCount === 0 ? '' : [...tailText].slice(-tailCount).join('');
    return { text: `${head}${note}${tail}`, truncated: true, originalLength };
  }
}

/**
 * Cuts both streams to `limit` characters together. Each keeps at least a quarter of the limit if it needs
 * it, so that a flood on one never hides the other.
 */
export function presentTogether(
  stdout: StreamCapture,
  stderr: StreamCapture,
  limit: number,
): { stdout: CapturedStream; stderr: CapturedStream } {
  const out = stdout.length;
  const err = stderr.length;
  const errShare = Math.min(err, Math.max(Math.floor(limit / 4), limit - out));
  const outShare = Math.min(out, limit - errShare);
  return { stdout: stdout.present(outShare), stderr: stderr.present(errShare) };
}

function omissionNote(omitted: number, total: number): string {
  return `\n[... ${omitted} of ${total} characters left out ...]\n`;
}

/** Every character of UTF-8 has exactly one byte that is not of the form 10xxxxxx. */
function countCharacters(chunk: Buffer): number {
  if (isAscii(chunk)) return chunk.length; // vectorised; most output is
  let count = 0;
  for (const byte of chunk) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
