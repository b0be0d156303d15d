import { chmod, mkdir, stat } from 'node:fs/promises';

/**
 * Makes a directory for secrets and records if it is not there, for its owner alone.
 * @throws what the file system says; Error when it is there and others may write to it
 */
export async function ensurePrivateDir(dir: string): Promise<void> {
  const made = await mkdir(dir, { recursive: true, mode: 0o700 });
  // A umask can only take bits away, but some file systems give none.
  if (made !== undefined) await chmod(dir, 0o700);
  const { mode } = await stat(dir);
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    throw new Error(`${dir} may be written by others than its owner: chmod 700 ${dir}`);
  }
}
