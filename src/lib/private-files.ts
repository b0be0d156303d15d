// Not node:fs/promises: the start of every server would load it, which takes 4 ms.
import { promises as fs } from 'node:fs';

/**
 * Creates a private directory for secrets and logs, unless it exists.
 * @throws the error of the file system; Error if the directory exists and other users can write to it
 */
export async function ensurePrivateDir(dir: string): Promise<void> {
  const made = await fs.mkdir(dir, { recursive: true, mode: 0o700 });
  // The umask only removes permissions, but some file systems do not support them.
  if (made !== undefined) await fs.chmod(dir, 0o700);
  const { mode } = await fs.stat(dir);
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    throw new Error(`${dir} is writable by other users: run chmod 700 ${dir}`);
  }
}
