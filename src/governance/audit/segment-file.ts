import { fstatSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';

/** A file that grows by whole lines: a partial write is undone. */
export class SegmentFile {
  readonly name: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Length of the valid content. */
  #size = 0;
  /** A failed write may have left bytes after `#size`. */
  #dirty = false;

  private constructor(file: string, handle: FileHandle) {
    this.#path = file;
    this.name = path.basename(file);
    this.#handle = handle;
  }

  /** @throws what the file system says; also when there is such a file already */
  static async create(dir: string, name: string): Promise<SegmentFile> {
    const file = path.join(dir, name);
    const handle = await open(file, 'wx', 0o600);
    await syncDirectory(dir);
    return new SegmentFile(file, handle);
  }

  get size(): number {
    return this.#size;
  }

  /** The file was removed: nobody will find what is written from now on. */
  get isGone(): boolean {
    return fstatSync(this.#handle.fd).nlink === 0;
  }

  /**
   * Appends all of a text or nothing.
   * @param sync resolve only when it is on the disk, and not just with the kernel
   * @throws what the file system says
   */
  async append(text: string, sync: boolean): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      if (this.#dirty) await this.#undo();
      this.#dirty = true;
      for (let done = 0; done < bytes.length; ) {
        const left = bytes.length - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, left, this.#size + done);
        done += bytesWritten;
      }
      if (sync) await this.#handle.datasync();
      this.#size += bytes.length;
      this.#dirty = false;
    } catch (error) {
      await this.#undo().catch(() => {});
      throw error;
    }
  }

  /** Resolves when all that was appended is on the disk. @throws what the file system says */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Closes and removes a file that was not needed. Never rejects. */
  async discard(): Promise<void> {
    await this.close().catch(() => {});
    await rm(this.#path, { force: true }).catch(() => {});
  }

  async #undo(): Promise<void> {
    await this.#handle.truncate(this.#size);
    this.#dirty = false;
  }
}

/** Makes the name of a new file outlast a power cut. Windows and some file systems have no such thing, and need none. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
