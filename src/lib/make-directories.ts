// Not node:fs/promises: loading it takes 4 ms of the server's start.
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { hasErrno } from './errno.ts';

/**
 * Creates a directory and its missing parents. Not `mkdir` with `recursive`: in Node.js 20, that never returns where the system
 * answers ENOENT although the parent exists, as in /proc.
 * @param mode of each directory that is created, minus the umask
 * @returns the first directory that was created; undefined if all existed
 * @throws errors of the file system
 */
export async function makeDirectories(dir: string, mode: number): Promise<string | undefined> {
  try {
    return await makeOne(dir, mode);
  } catch (error) {
    const parent = path.dirname(dir);
    if (!hasErrno(error, 'ENOENT') || parent === dir) throw error;
    const first = await makeDirectories(parent, mode);
    const made = await makeOne(dir, mode);
    return first ?? made;
  }
}

/** @returns undefined if it existed */
async function makeOne(dir: string, mode: number): Promise<string | undefined> {
  try {
    await fs.mkdir(dir, { mode });
    return dir;
  } catch (error) {
    const existing = await fs.stat(dir).catch(() => undefined);
    if (existing?.isDirectory() === true) return undefined;
    throw error;
  }
}
