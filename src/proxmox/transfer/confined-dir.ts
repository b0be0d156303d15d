import { type BigIntStats, constants, promises as fs, statSync } from 'node:fs';
import * as path from 'node:path';
import { localIo } from './local-file-errors.ts';
import { isSame } from './reserved-files.ts';

/**
 * A local directory that was checked and stays the one that was checked, whatever is put at its path meanwhile. The caller
 * closes it.
 */
export interface ConfinedDir {
  /** Absolute, links resolved. */
  readonly path: string;
  /** The path by which to open, link or rename a file of this directory. */
  at(name: string): string;
  /**
   * Confirms that an open file is the one at `name` in this directory.
   * @throws AppError LOCAL_IO when a directory or the file was replaced meanwhile
   */
  confirm(name: string, opened: BigIntStats): Promise<void>;
  close(): Promise<void>;
}

/** @throws AppError when the real path of a directory is not to be used */
export type Confine = (realDir: string) => Promise<void>;

/** Whether files can be named relative to an open directory. Not without /proc, and on Linux alone. */
export const HAS_PROC_FD =
  process.platform === 'linux' && statSync('/proc/self/fd', { throwIfNoEntry: false }) !== undefined;

/**
 * Opens a directory and checks what was opened, not what was named.
 * @param dir absolute, links resolved
 * @throws what `confine` throws; what the file system reports
 */
export function openConfined(dir: string, confine: Confine, byHandle = HAS_PROC_FD): Promise<ConfinedDir> {
  return byHandle ? openByHandle(dir, confine) : openByPath(dir, confine);
}

/** The kernel tells the path of the open directory, and finds files relative to it: no name is resolved a second time. */
async function openByHandle(dir: string, confine: Confine): Promise<ConfinedDir> {
  const handle = await fs.open(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const link = `/proc/self/fd/${handle.fd}`;
  try {
    const real = await fs.readlink(link);
    await confine(real);
    return {
      path: real,
      at: (name) => `${link}/${name}`,
      confirm: async () => {},
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Where files cannot be named relative to an open directory, the directory is compared before and after. A directory that
 * is exchanged and put back between two comparisons is not noticed: see docs/how-it-works.md.
 */
async function openByPath(dir: string, confine: Confine): Promise<ConfinedDir> {
  const identity = async () => {
    const real = await fs.realpath(dir);
    await confine(real);
    return { real, stats: await fs.lstat(real, { bigint: true }) };
  };
  const before = await identity();
  const unchanged = async () => {
    const { real, stats } = await identity();
    if (real !== before.real || !isSame(stats, before.stats)) throw replaced(dir);
  };
  return {
    path: before.real,
    at: (name) => path.join(before.real, name),
    confirm: async (name, opened) => {
      await unchanged();
      const stats = await fs.lstat(path.join(before.real, name), { bigint: true });
      // Windows reports other numbers for a path than for a handle.
      if (process.platform !== 'win32' && !isSame(stats, opened)) throw replaced(path.join(dir, name));
      await unchanged();
    },
    close: async () => {},
  };
}

/** Of a file or directory that is not the one that was checked. */
export function replaced(file: string): Error {
  return localIo('use', file, new Error('it was replaced during the transfer'));
}
