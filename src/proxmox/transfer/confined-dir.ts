import { type BigIntStats, constants, promises as fs, statSync } from 'node:fs';
import * as path from 'node:path';
import { localIo } from './local-file-errors.ts';
import { isSame } from './reserved-files.ts';

/**
 * An open local directory that was checked. Its methods refer to that directory even if another one is moved to its path. The
 * caller closes it.
 */
export interface ConfinedDir {
  /** Absolute, with links resolved. */
  readonly path: string;
  /** The path for opening, linking or renaming a file in this directory. */
  at(name: string): string;
  /**
   * Confirms that an open file is the one at `name` in this directory.
   * @throws AppError LOCAL_IO if a directory or the file was replaced
   */
  confirm(name: string, opened: BigIntStats): Promise<void>;
  close(): Promise<void>;
}

/** @throws AppError if the directory, given by its real path, must not be used */
export type Confine = (realDir: string) => Promise<void>;

/** Whether files can be opened relative to an open directory. That requires /proc of Linux. */
export const HAS_PROC_FD =
  process.platform === 'linux' && statSync('/proc/self/fd', { throwIfNoEntry: false }) !== undefined;

/**
 * Opens a directory and checks the directory that was opened.
 * @param dir absolute, with links resolved
 * @throws errors of `confine` and of the file system
 */
export function openConfined(dir: string, confine: Confine, byHandle = HAS_PROC_FD): Promise<ConfinedDir> {
  return byHandle ? openByHandle(dir, confine) : openByPath(dir, confine);
}

/** Uses the kernel's path of the open directory, and opens files relative to it, so that no name is resolved a second time. */
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
 * For systems on which files cannot be opened relative to an open directory: compares the directory before and after. A
 * directory that is replaced and restored between two comparisons is not detected: see docs/how-it-works.md.
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
      // On Windows, the device and inode numbers of a path and of a handle differ.
      if (process.platform !== 'win32' && !isSame(stats, opened)) throw replaced(path.join(dir, name));
      await unchanged();
    },
    close: async () => {},
  };
}

/** The error for a file or directory that is not the one that was checked. */
export function replaced(file: string): Error {
  return localIo('use', file, new Error('it was replaced during the transfer'));
}
