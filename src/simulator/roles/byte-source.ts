import type { Readable } from 'node:stream';

/** Reads a stream in lines and in pieces. */
export class ByteSource {
  readonly #iterator: AsyncIterator<unknown>;
  #rest: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(stream: Readable) {
    this.#iterator = stream.iterator({ destroyOnReturn: false });
  }

  /** Whatever is there next, at most `limit` bytes; null at the end. */
  async some(limit: number): Promise<Buffer | null> {
    if (this.#rest.length === 0 && !(await this.#more())) return null;
    const piece = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** The next line without its end; null if the stream ends before it does. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (!(await this.#more())) return null;
    }
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false;
    const next = await this.#iterator.next().catch(() => ({ done: true, value: undefined }));
    if (next.done === true) {
      this.#over = true;
      return false;
    }
    const chunk = Buffer.isBuffer(next.value) ? next.value : Buffer.from(String(next.value));
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return true;
  }
}
