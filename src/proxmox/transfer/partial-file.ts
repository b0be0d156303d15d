import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasErrno } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import type { ConfinedDir } from './confined-dir.ts';
import { downloadMode } from './file-modes.ts';
import { fileExists, localIo } from './local-file-errors.ts';
import { digestOf } from './read-chunks.ts';
import { isSame } from './reserved-files.ts';
import type { LocalDestination } from './transfer-dirs.ts';

/** Small chunks from the network are collected and written in batches, while the next chunks are received. */
const BATCH_BYTES = 1024 * 1024;

const REMOVE_ATTEMPTS = 100;

/** A temporary file next to the destination with a hidden name, which is then published atomically or removed. */
export class LocalPart {
  readonly #destination: LocalDestination;
  readonly #dir: ConfinedDir;
  readonly #name: string;
  readonly #handle: fs.FileHandle;
  #open = true;
  #discarded = false;
  /** Two buffers: one is filled while the other is written. New ones would cause many collections of garbage. */
  #filling = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #spare = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(destination: LocalDestination, dir: ConfinedDir, name: string, handle: fs.FileHandle) {
    this.#destination = destination;
    this.#dir = dir;
    this.#name = name;
    this.#handle = handle;
  }

  /** @throws AppError as `TransferDirs.findDestination` does, because the directory may have been replaced since then */
  static async create(destination: LocalDestination): Promise<LocalPart> {
    const name = `.proxmox-mcp-${randomBytes(8).toString('hex')}.part`;
    const dir = await destination.openDir();
    let part: LocalPart | undefined;
    try {
      const handle = await fs.open(dir.at(name), 'wx+', 0o600);
      part = new LocalPart(destination, dir, name, handle);
      await dir.confirm(name, await handle.stat({ bigint: true }));
      return part;
    } catch (error) {
      await (part?.discard() ?? dir.close());
      throw error instanceof AppError ? error : localIo('write', destination.path, error);
    }
  }

  /** Adds a chunk; resolves when the next one may be added. A write error may be reported by a later call. */
  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.#filling, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === BATCH_BYTES) await this.#writeBatch();
    }
  }

  /** Writes the rest, then reads the file back: the SHA-256 in hex of its `size` bytes. */
  async digest(size: number, onChunk: () => void): Promise<string> {
    await this.#writeBatch();
    await this.#writing;
    return digestOf({ path: this.#destination.path, handle: this.#handle, size }, onChunk);
  }

  /** Starts writing the filled buffer when the previous one is written. */
  async #writeBatch(): Promise<void> {
    await this.#writing;
    const bytes = this.#filling.subarray(0, this.#filled);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#filled = 0;
    this.#writing = this.#writeAll(bytes);
    this.#writing.catch(() => {}); // reported by the next call that awaits it
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) {
        done += (await this.#handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    } catch (error) {
      throw localIo('write', this.#destination.path, error);
    }
  }

  /**
   * Publishes the file. Call this after the digest was verified.
   * @param sourceMode octal mode of the remote file; a file that is replaced keeps its own mode
   * @returns the octal mode of the published file
   * @throws AppError FILE_EXISTS, LOCAL_IO, DISK_FULL
   */
  async publish(overwrite: boolean, sourceMode?: string): Promise<string> {
    const { path: target, existing } = this.#destination;
    const wanted = existing ? existing.mode & 0o7777 : downloadMode(sourceMode, process.umask());
    let mode = wanted;
    try {
      if (process.platform !== 'win32') {
        const mine = await this.#handle.stat();
        if (existing && (existing.uid !== mine.uid || existing.gid !== mine.gid)) {
          await this.#handle.chown(existing.uid, existing.gid);
        }
        await this.#handle.chmod(wanted).catch((error: unknown) => {
          // Some file systems have no permissions.
          if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
        });
        mode = (await this.#handle.stat()).mode & 0o7777;
      }
      const written = await this.#handle.stat({ bigint: true });
      await this.#dir.confirm(this.#name, written);
      // Windows cannot rename an open file. On other systems the file stays open, so that its inode number is not reused.
      if (process.platform === 'win32') await this.#closeFile();
      await this.#place(path.basename(target), overwrite, written);
      await this.#closeFile();
    } catch (error) {
      await this.discard();
      if (error instanceof AppError) throw error;
      if (hasErrno(error, 'EEXIST')) throw fileExists(target, 'local file');
      throw localIo('write', target, error);
    }
    await this.#dir.close().catch(() => {});
    return mode.toString(8);
  }

  async #place(name: string, overwrite: boolean, written: BigIntStats): Promise<void> {
    const [part, target] = [this.#dir.at(this.#name), this.#dir.at(name)];
    if (overwrite) await fs.rename(part, target);
    else await publishNew(part, target);
    await this.#dir.confirm(name, written).catch(async (error: unknown) => {
      const there = await fs.lstat(target, { bigint: true }).catch(() => undefined);
      if (there !== undefined && isSame(there, written)) await fs.rm(target, { force: true });
      throw error;
    });
  }

  async discard(): Promise<void> {
    if (this.#discarded) return;
    this.#discarded = true;
    if (process.platform === 'win32') await this.#closeFile().catch(() => {});
    await this.#remove();
    await this.#closeFile().catch(() => {});
    await this.#dir.close().catch(() => {});
  }

  /**
   * Repeats the removal, because a directory that is replaced and restored can hide the file. The link count of the open file
   * is 0 when it was removed.
   */
  async #remove(): Promise<void> {
    for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
      await fs.rm(this.#dir.at(this.#name), { force: true }).catch(() => {});
      if (!this.#open) return;
      const { nlink } = await this.#handle.stat();
      if (nlink === 0) return;
      await delay(1);
    }
  }

  async #closeFile(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/**
 * Links the file, because a hard link never replaces a file, unlike a rename. On file systems without hard links, copies it
 * exclusively.
 */
async function publishNew(part: string, target: string): Promise<void> {
  try {
    await fs.link(part, target);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) throw error;
    await copyNew(part, target);
  }
  await fs.rm(part, { force: true });
}

/** The copy gets the mode of the temporary file. */
async function copyNew(part: string, target: string): Promise<void> {
  try {
    await fs.copyFile(part, target, constants.COPYFILE_EXCL);
  } catch (error) {
    // Unless another process has created the file, it is an incomplete copy.
    if (!hasErrno(error, 'EEXIST')) await fs.rm(target, { force: true });
    throw error;
  }
}
