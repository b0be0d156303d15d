import { FileError, type Inode } from '../files/inode.ts';
import { OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { WaitQueue } from './wait-queue.ts';

const CAPACITY = 65_536;

/** A pipe: bytes that were written and not read yet. */
export class Pipe {
  readonly changed = new WaitQueue();
  readers = 0;
  writers = 0;
  #chunks: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get room(): number {
    return CAPACITY - this.#size;
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.changed.wake();
  }

  unshift(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.unshift(bytes);
    this.#size += bytes.length;
  }

  take(max: number): Buffer {
    const [first] = this.#chunks;
    if (!first) return Buffer.alloc(0);
    const piece = first.subarray(0, max);
    if (piece.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(piece.length);
    this.#size -= piece.length;
    this.changed.wake();
    return piece;
  }

  /** Creates a pipe and returns both ends. */
  static make(): { reader: PipeReader; writer: PipeWriter } {
    const pipe = new Pipe();
    return { reader: new PipeReader(pipe), writer: new PipeWriter(pipe) };
  }
}

export class PipeReader extends OpenFile {
  readonly #pipe: Pipe;

  constructor(pipe: Pipe, name = 'pipe:[1]', inode?: Inode) {
    super(name, inode);
    this.#pipe = pipe;
    pipe.readers += 1;
    pipe.changed.wake();
  }

  async read(process: Process, max: number): Promise<Buffer> {
    if (process.mustWait) await process.ready();
    while (this.#pipe.size === 0 && this.#pipe.writers > 0) await process.block(this.#pipe.changed);
    return this.#pipe.take(max);
  }

  async write(): Promise<void> {
    throw new FileError('EBADF', 'write', this.name);
  }

  unread(bytes: Buffer): void {
    this.#pipe.unshift(bytes);
  }

  protected override close(): void {
    this.#pipe.readers -= 1;
    this.#pipe.changed.wake();
  }
}

export class PipeWriter extends OpenFile {
  readonly #pipe: Pipe;

  constructor(pipe: Pipe, name = 'pipe:[1]', inode?: Inode) {
    super(name, inode);
    this.#pipe = pipe;
    pipe.writers += 1;
    pipe.changed.wake();
  }

  /** Writes from outside of the machine, without a limit. */
  push(bytes: Buffer): void {
    this.#pipe.push(bytes);
  }

  async read(): Promise<Buffer> {
    throw new FileError('EBADF', 'read', this.name);
  }

  /** Takes the bytes without a copy: no program changes what it has written. */
  async write(process: Process, bytes: Buffer): Promise<void> {
    if (process.mustWait) await process.ready();
    for (let at = 0; at < bytes.length; ) {
      while (this.#pipe.readers > 0 && this.#pipe.room <= 0) await process.block(this.#pipe.changed);
      if (this.#pipe.readers === 0) process.brokenPipe();
      const piece = bytes.subarray(at, at + this.#pipe.room);
      this.#pipe.push(piece);
      at += piece.length;
    }
  }

  unread(): void {}

  protected override close(): void {
    this.#pipe.writers -= 1;
    this.#pipe.changed.wake();
  }
}

const fifos = new WeakMap<Inode, Pipe>();

/** Opens one end of a named pipe, and waits until the other end is open. */
export async function openFifo(
  process: Process,
  inode: Inode,
  path: string,
  writes: boolean,
): Promise<OpenFile> {
  const pipe = fifos.get(inode) ?? new Pipe();
  fifos.set(inode, pipe);
  const file = writes ? new PipeWriter(pipe, path, inode) : new PipeReader(pipe, path, inode);
  while ((writes ? pipe.readers : pipe.writers) === 0) await process.block(pipe.changed);
  return file;
}
