import type { Readable } from 'node:stream';

/** A line of the transfer scripts is short; more than this without a line end is something else talking. */
const LONGEST_LINE = 16_384;

/** Reads a stream in lines and in counted bytes by turns, with backpressure. A lost stream reads as ended. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next line without its end; null when the stream ended before one was complete. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > LONGEST_LINE) return null;
      const chunk = await this.#next();
      if (chunk === null) return null;
      this.#rest = Buffer.concat([this.#rest, chunk]);
    }
  }

  /** Hands on up to `count` bytes chunk by chunk; returns how many there were before the stream ended. */
  async bytes(count: number, onChunk: (chunk: Buffer) => void | Promise<void>): Promise<number> {
    let done = 0;
    while (done < count) {
      const chunk: Buffer | null = this.#rest.length > 0 ? this.#rest : await this.#next();
      if (chunk === null) break;
      const part = chunk.subarray(0, count - done);
      this.#rest = chunk.subarray(part.length);
      done += part.length;
      await onChunk(part);
    }
    return done;
  }

  /** `count` bytes as text; null when there are fewer. */
  async text(count: number): Promise<string | null> {
    const parts: Buffer[] = [];
    const got = await this.bytes(count, (chunk) => {
      parts.push(chunk);
    });
    return got === count ? Buffer.concat(parts).toString('utf8') : null;
  }

  /** Throws away what is still to come, so that the stream can end. */
  async drain(): Promise<void> {
    this.#rest = Buffer.alloc(0);
    while ((await this.#next()) !== null);
  }

  async #next(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? null : value;
    } catch {
      return null; // "premature close": the connection went; who asks learns it from the channel's end
    }
  }
}
