import { chmod, copyFile, mkdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../../lib/atomic-file.ts';
import { decodeText, hasUtf16 } from '../../../lib/decode-text.ts';
import { hasErrno } from '../../../lib/errno.ts';

/** One file as it is and as it shall be. */
export interface FileChange {
  readonly file: string;
  /** undefined: there is no such file yet. */
  readonly before: string | undefined;
  readonly after: string;
  /** For a new file; and for one that holds secrets whatever it had before. */
  readonly mode: number;
  readonly secret: boolean;
}

/** Undoes one step. */
export type Undo = () => Promise<void>;

/** What a file holds now, or undefined if there is none. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    return hasUtf16(bytes) ? decodeText(bytes) : bytes.toString('utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Writes one change so that at every moment the file is either the old or the new one; the old one stays beside it as a
 * backup. Returns the path of the backup and how to go back.
 */
export async function writeChange(
  change: FileChange,
  stamp: string,
): Promise<{ readonly backup: string | undefined; readonly undo: Undo }> {
  // A link stays one: people keep such files elsewhere.
  const file = change.before === undefined ? change.file : await realpath(change.file);
  const mode =
    change.before === undefined || change.secret
      ? change.mode & ~process.umask()
      : (await stat(file)).mode & 0o7777;
  const made = await mkdir(dirname(file), { recursive: true, mode: change.secret ? 0o700 : 0o755 });
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
    // Directories that were made for it, as far as they are still empty, are left to those who look: harmless.
    if (made !== undefined) await rm(made, { recursive: false, force: true }).catch(() => {});
  };
  return { backup, undo };
}

/** A sortable time for names of backups: 20260131-235959. */
export function stampOf(now: Date): string {
  return now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
}
