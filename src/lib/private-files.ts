// Not node:fs/promises: the start of every server would load it, which takes 4 ms.
import { promises as fs } from 'node:fs';

/**
 * Makes a directory for secrets and records if it is not there, for its owner alone.
 * @throws what the file system says; Error when it is there and others may write to it
 */
export async function ensurePrivateDir(dir: string): Promise<void> {
  const made = await fs.mkdir(dir, { recursive: true, mode: 0o700 });
  // A umask can only take bits away, but some file systems give none.
  if (made !== undefined) await fs.chmod(dir, 0o700);
  const { mode } = await fs.stat(dir);
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    throw new Error(`${dir} may be written by others than its owner: chmod 700 ${dir}`);
  }
}
