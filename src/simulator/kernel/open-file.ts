import { FileError, type Inode } from '../files/inode.ts';
import type { Process } from './process.ts';

/** The object behind a file descriptor. Duplicated and inherited descriptors share it; the last one closes it. */
export abstract class OpenFile {
  /** The inode, if it is a file of the file system. */
  readonly inode: Inode | undefined;
  /** The name in /proc/PID/fd. */
  readonly name: string;
  #references = 0;

  constructor(name: string, inode?: Inode) {
    this.name = name;
    this.inode = inode;
  }

  retain(): this {
    this.#references += 1;
    return this;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references === 0) this.close();
  }

  /** Reads at least one byte, or none at the end. @throws FileError, Killed */
  abstract read(process: Process, max: number): Promise<Buffer>;

  /** Writes all bytes. @throws FileError, Killed */
  abstract write(process: Process, bytes: Buffer): Promise<void>;

  /** Returns excess bytes to the file. */
  abstract unread(bytes: Buffer): void;

  protected close(): void {}
}

/** /dev/null, /dev/zero, /dev/urandom, and a terminal that does not exist. */
export class Device extends OpenFile {
  readonly #content: (size: number) => Buffer;

  constructor(path: string, inode?: Inode) {
    super(path, inode);
    const name = path.slice(path.lastIndexOf('/') + 1);
    this.#content =
      name === 'zero'
        ? (size) => Buffer.alloc(size)
        : name === 'urandom' || name === 'random'
          ? (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(Math.random() * 256)))
          : () => Buffer.alloc(0);
  }

  async read(process: Process, max: number): Promise<Buffer> {
    if (process.mustWait) await process.ready();
    return this.#content(Math.min(max, 65_536));
  }

  async write(process: Process): Promise<void> {
    if (process.mustWait) await process.ready();
  }

  unread(): void {}
}

/** A directory that was opened for reading. */
export class OpenDirectory extends OpenFile {
  async read(): Promise<Buffer> {
    throw new FileError('EISDIR', 'read', this.name);
  }

  async write(): Promise<void> {
    throw new FileError('EBADF', 'write', this.name);
  }

  unread(): void {}
}

/** The file descriptors of one process. */
export class FdTable {
  readonly #files = new Map<number, OpenFile>();
  /** Files that have no number, each with what closes it. */
  readonly #kept = new Set<() => void>();
  #ended = false;

  /** @throws FileError EBADF */
  get(fd: number): OpenFile {
    const file = this.#files.get(fd);
    if (!file) throw new FileError('EBADF', 'use', String(fd));
    return file;
  }

  find(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  get numbers(): number[] {
    return [...this.#files.keys()].sort((a, b) => a - b);
  }

  set(fd: number, file: OpenFile): void {
    if (this.#ended) return;
    const before = this.#files.get(fd);
    this.#files.set(fd, file.retain());
    before?.release();
  }

  close(fd: number): void {
    const before = this.#files.get(fd);
    this.#files.delete(fd);
    before?.release();
  }

  clone(): FdTable {
    const copy = new FdTable();
    for (const [fd, file] of this.#files) copy.set(fd, file);
    return copy;
  }

  /** Keeps a file open that has no number, as a shell does during a redirection. @returns a function that closes it */
  keep(file: OpenFile): () => void {
    if (this.#ended) return () => {};
    file.retain();
    const close = () => {
      if (this.#kept.delete(close)) file.release();
    };
    this.#kept.add(close);
    return close;
  }

  /** The process has ended: closes all files, and opens no further ones. */
  closeAll(): void {
    this.#ended = true;
    for (const fd of this.numbers) this.close(fd);
    for (const close of [...this.#kept]) close();
  }
}
