import {
  appendContent,
  FileError,
  type FileInode,
  type GeneratedInode,
  readContent,
} from '../files/inode.ts';
import { OpenFile } from './open-file.ts';
import type { Process } from './process.ts';

/** An open regular file, with the position that its descriptors share. */
export class RegularFile extends OpenFile {
  readonly #mode: { readonly reads: boolean; readonly writes: boolean; readonly append: boolean };
  readonly #file: FileInode | GeneratedInode;
  #at = 0;
  /** The content of a generated file at its first read. */
  #snapshot: Buffer | undefined;

  constructor(
    path: string,
    inode: FileInode | GeneratedInode,
    mode: { reads: boolean; writes: boolean; append: boolean },
  ) {
    super(path, inode);
    this.#file = inode;
    this.#mode = mode;
  }

  async read(process: Process, max: number): Promise<Buffer> {
    if (process.mustWait) await process.ready();
    if (!this.#mode.reads) throw new FileError('EBADF', 'read', this.name);
    const piece = this.#piece(this.#at, this.#at + max);
    this.#at += piece.length;
    return piece;
  }

  async write(process: Process, bytes: Buffer): Promise<void> {
    if (process.mustWait) await process.ready();
    if (!this.#mode.writes) throw new FileError('EBADF', 'write', this.name);
    if (this.#file.kind === 'generated') {
      if (!this.#file.accept) throw new FileError('EINVAL', 'write', this.name);
      this.#file.accept(bytes.toString('latin1'));
      return;
    }
    if (this.#mode.append) this.#at = this.#file.content.length;
    const room = process.fileSizeLimit - this.#at;
    if (room <= 0) process.fileTooLarge(this.name);
    this.#at += appendContent(this.#file, this.#at, bytes.subarray(0, room), this.name);
    if (bytes.length > room) process.fileTooLarge(this.name);
  }

  unread(bytes: Buffer): void {
    this.#at -= bytes.length;
  }

  #piece(from: number, to: number): Buffer {
    if (this.#file.kind === 'file') return readContent(this.#file, from, to);
    this.#snapshot ??= Buffer.from(this.#file.generate());
    return this.#snapshot.subarray(from, to);
  }
}
