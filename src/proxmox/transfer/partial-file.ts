import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { hasErrno } from '../../lib/errno.ts';
import { fileExists, localIo } from './local-file-errors.ts';
import { digestOf } from './read-chunks.ts';
import type { LocalDestination } from './transfer-dirs.ts';

/** What comes from the network in small chunks goes to the disk in large ones, while the next are received. */
const BATCH_BYTES = 1024 * 1024;

/** Receives into a hidden name beside the destination, then gives it its place in one step, or removes it. */
export class LocalPart {
  readonly #destination: LocalDestination;
  readonly #path: string;
  readonly #handle: fs.FileHandle;
  #open = true;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(destination: LocalDestination, partPath: string, handle: fs.FileHandle) {
    this.#destination = destination;
    this.#path = partPath;
    this.#handle = handle;
  }

  static async create(destination: LocalDestination): Promise<LocalPart> {
    const name = `.proxmox-mcp-${randomBytes(8).toString('hex')}.part`;
    const partPath = path.join(path.dirname(destination.path), name);
    const handle = await fs.open(partPath, 'wx+', 0o600).catch((error: unknown) => {
      throw localIo('write', destination.path, error);
    });
    return new LocalPart(destination, partPath, handle);
  }

  /** Takes a chunk; resolves when there is room for more. A failure to write may come with a later chunk, or with `digest`. */
  async write(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BATCH_BYTES) await this.#writeBatch();
  }

  /** Writes the rest, then reads everything back: hexadecimal SHA-256 of the `size` bytes that are in the file. */
  async digest(size: number, onChunk: () => void): Promise<string> {
    await this.#writeBatch();
    await this.#writing;
    return digestOf({ path: this.#destination.path, handle: this.#handle, size }, onChunk);
  }

  /** Starts to write what has been collected, when the batch before is written. */
  async #writeBatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#writing;
    this.#writing = this.#writeAll(batch);
    this.#writing.catch(() => {}); // told by whoever waits for it next
  }

  async #writeAll(chunks: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(chunks);
    try {
      let done = 0;
      while (done < bytes.length) {
        done += (await this.#handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    } catch (error) {
      throw localIo('write', this.#destination.path, error);
    }
  }

  /** To be called when the digest is right. @returns the octal mode of the published file. @throws AppError FILE_EXISTS, LOCAL_IO, DISK_FULL */
  async publish(overwrite: boolean): Promise<string> {
    const { path: target, existing } = this.#destination;
    const mode = existing ? existing.mode & 0o7777 : 0o644;
    try {
      if (process.platform !== 'win32') {
        const mine = await this.#handle.stat();
        if (existing && (existing.uid !== mine.uid || existing.gid !== mine.gid)) {
          await this.#handle.chown(existing.uid, existing.gid);
        }
        await this.#handle.chmod(mode);
      }
      await this.#close();
      if (overwrite) await fs.rename(this.#path, target);
      else await publishNew(this.#path, target);
    } catch (error) {
      await this.discard();
      if (hasErrno(error, 'EEXIST')) throw fileExists(target, 'local file');
      throw localIo('write', target, error);
    }
    return mode.toString(8);
  }

  async discard(): Promise<void> {
    await this.#close().catch(() => {});
    await fs.rm(this.#path, { force: true }).catch(() => {});
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** A hard link never replaces anything, unlike a rename. Some file systems have none; a copy that may not overwrite serves there. */
async function publishNew(part: string, target: string): Promise<void> {
  try {
    await fs.link(part, target);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) throw error;
    await copyNew(part, target);
  }
  await fs.rm(part, { force: true });
}

async function copyNew(part: string, target: string): Promise<void> {
  try {
    await fs.copyFile(part, target, constants.COPYFILE_EXCL);
    await fs.chmod(target, 0o644);
  } catch (error) {
    // Unless it was there before, what stands there is our own half copy.
    if (!hasErrno(error, 'EEXIST')) await fs.rm(target, { force: true });
    throw error;
  }
}
