// Not node:fs/promises: loading it takes 4 ms of the server's start.
import { promises as fs } from 'node:fs';
import { makeDirectories } from './make-directories.ts';

/**
 * Creates a private directory (mode 700) if it does not exist.
 * @throws errors of the file system; Error if it exists and other users can write to it
 */
export async function ensurePrivateDir(dir: string): Promise<void> {
  const made = await makeDirectories(dir, 0o700);
  // A umask can only remove permissions, but some file systems ignore the mode.
  if (made !== undefined) await fs.chmod(dir, 0o700);
  const { mode } = await fs.stat(dir);
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    throw new Error(`other users have write access to ${dir}; run chmod 700 ${dir}`);
  }
}
