import { chmod, copyFile, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reason } from '../../../config/path-formats.ts';
import { reasonOf } from '../../../governance/audit/failures.ts';
import { writeFileAtomically } from '../../../lib/atomic-file.ts';
import { decodeText, hasUtf16 } from '../../../lib/decode-text.ts';
import { hasErrno } from '../../../lib/errno.ts';
import { makeDirectories } from '../../../lib/make-directories.ts';

/** A change of a file: its current and its new content. */
export interface FileChange {
  readonly file: string;
  /** undefined: the file does not exist yet. */
  readonly before: string | undefined;
  readonly after: string;
  /** The mode of a new file, and of every file with secrets. */
  readonly mode: number;
  readonly secret: boolean;
}

/** A file that cannot be read or written. The message names the file and the reason. */
export class FileFailure extends Error {}

/** Undoes one step. */
export type Undo = () => Promise<void>;

/** The content of a file; undefined if it does not exist. @throws FileFailure */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    return hasUtf16(bytes) ? decodeText(bytes) : bytes.toString('utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new FileFailure(reason(error, file), { cause: error });
  }
}

/**
 * Writes one change atomically and keeps the old file as a backup in the same directory.
 * @returns the path of the backup, and a function that undoes the change
 * @throws FileFailure
 */
export async function writeChange(change: FileChange, stamp: string): Promise<Written> {
  try {
    return await write(change, stamp);
  } catch (error) {
    throw new FileFailure(`${change.file} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

interface Written {
  readonly backup: string | undefined;
  readonly undo: Undo;
}

async function write(change: FileChange, stamp: string): Promise<Written> {
  // A symbolic link is kept, and its target is changed.
  const file = change.before === undefined ? change.file : await realpath(change.file);
  const mode =
    change.before === undefined || change.secret
      ? change.mode & ~process.umask()
      : (await stat(file)).mode & 0o7777;
  const made = await makeDirectories(dirname(file), change.secret ? 0o700 : 0o755);
  const backup = change.before === undefined ? undefined : `${file}.backup-${stamp}`;
  if (backup !== undefined) {
    await copyFile(file, backup);
    await chmod(backup, mode);
  }
  try {
    await writeFileAtomically(file, change.after, mode);
  } catch (error) {
    if (backup !== undefined) await rm(backup, { force: true });
    throw error;
  }
  const undo = async () => {
    if (backup !== undefined) return rename(backup, file);
    await rm(file, { force: true });
    // Remove the directory that was created for the file. Ignore a failure: an empty directory is harmless.
    if (made !== undefined) await rm(made, { recursive: false, force: true }).catch(() => {});
  };
  return { backup, undo };
}

/** A sortable time stamp for backup names: 20260131-235959. */
export function stampOf(now: Date): string {
  return now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
}
