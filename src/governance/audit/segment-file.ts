import { fstatSync, writeSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';

/** A file to which whole lines are appended. A partial write is undone. */
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

  /** @throws errors of the file system; also if the file already exists */
  static async create(dir: string, name: string): Promise<SegmentFile> {
    const file = path.join(dir, name);
    const handle = await open(file, 'wx', 0o600);
    await syncDirectory(dir);
    return new SegmentFile(file, handle);
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the file was removed, so that further writes would be lost. */
  get isGone(): boolean {
    return fstatSync(this.#handle.fd).nlink === 0;
  }

  /**
   * Appends a text completely or not at all.
   * @param sync wait until the text is on the disk, not only in the kernel's cache
   * @throws errors of the file system
   */
  async append(text: string, sync: boolean): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      if (this.#dirty) await this.#undo();
      this.#dirty = true;
      for (let done = 0; done < bytes.length; ) {
        // Not in the thread pool, which would take longer than the write to the kernel's cache itself.
        done += writeSync(this.#handle.fd, bytes, done, bytes.length - done, this.#size + done);
      }
      if (sync) await this.#handle.datasync();
      this.#size += bytes.length;
      this.#dirty = false;
    } catch (error) {
      await this.#undo().catch(() => {});
      throw error;
    }
  }

  /** Resolves when all appended data is on the disk. @throws errors of the file system */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Closes and removes an unused file. Never rejects. */
  async discard(): Promise<void> {
    await this.close().catch(() => {});
    await rm(this.#path, { force: true }).catch(() => {});
  }

  async #undo(): Promise<void> {
    await this.#handle.truncate(this.#size);
    this.#dirty = false;
  }
}

/** Syncs the directory, so that a new file survives a power failure. Not supported, and not needed, on some systems. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
