import type { Readable } from 'node:stream';

/** One end of an output stream. Whoever may still write holds it; it ends when the last has let go. */
export interface Sink {
  /** Resolves when there is room for more. @returns false when nobody reads any more */
  write(bytes: Uint8Array | string): Promise<boolean>;
  hold(): () => void;
}

/** The three streams that a program is started with. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Keeps all that is written. */
export class TextSink implements Sink {
  readonly #chunks: Buffer[] = [];

  async write(bytes: Uint8Array | string): Promise<boolean> {
    this.#chunks.push(Buffer.from(bytes));
    return true;
  }

  hold(): () => void {
    return () => {};
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

/** Reads to the end and leaves the other direction of a channel alone, which a plain `for await` would destroy. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
