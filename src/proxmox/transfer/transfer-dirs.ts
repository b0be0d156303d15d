import { type BigIntStats, constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { hasErrno } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import { makeDirectories } from '../../lib/make-directories.ts';
import { type ConfinedDir, HAS_PROC_FD, openConfined, replaced } from './confined-dir.ts';
import { uploadMode } from './file-modes.ts';
import {
  dotNameRefused,
  fileExists,
  localIo,
  outsideTransferDirs,
  sourceNotFound,
  transferDirsUnset,
} from './local-file-errors.ts';
import { checkLocalPath, contains, dotName } from './local-path.ts';
import { isSame, ReservedFiles, type ReservedPaths } from './reserved-files.ts';
import { resolvePath } from './resolve-path.ts';

/** An opened local file to send. The caller closes the handle. */
export interface LocalSource {
  readonly path: string;
  readonly handle: fs.FileHandle;
  readonly size: number;
  /** Octal mode of a new remote file, unless the caller requests another. */
  readonly uploadMode: string;
}

/** The destination of a file to receive. */
export interface LocalDestination {
  readonly path: string;
  /** The stats of an existing file at the destination. */
  readonly existing: Stats | undefined;
  /** Opens its directory and checks it again. @throws AppError as `findDestination` */
  openDir(): Promise<ConfinedDir>;
}

/**
 * The local directories that transfers may read and write. The checks apply to the opened file or directory, so a directory or
 * file that is replaced by a symlink in between is not followed.
 */
export class TransferDirs {
  readonly #dirs: readonly string[];
  readonly #reserved: ReservedFiles;
  readonly #byHandle: boolean;
  /** The real path of each directory at its first use. A symlink that later replaces the directory is not followed. */
  readonly #roots = new Map<string, string>();

  /**
   * @param dirs absolute paths; relative paths are resolved in the first one
   * @param reserved files that no transfer uses, even inside these directories
   * @param byHandle whether files can be opened relative to an open directory
   */
  constructor(dirs: readonly string[], reserved: ReservedPaths, byHandle = HAS_PROC_FD) {
    this.#dirs = dirs;
    this.#reserved = new ReservedFiles(reserved);
    this.#byHandle = byHandle;
  }

  /**
   * Opens a regular file inside the transfer directories for reading.
   * @throws AppError PATH_INVALID, PATH_OUTSIDE_TRANSFER_DIRS, SOURCE_NOT_FOUND, IS_A_DIRECTORY, NOT_A_REGULAR_FILE, LOCAL_IO
   */
  async openSource(localPath: string): Promise<LocalSource> {
    const wanted = await this.#absolute(localPath);
    const { path: real, missing } = await resolvePath(wanted);
    const confine = await this.#confinement(localPath);
    // Checked first, so that no error reveals which files exist outside.
    await confine(real);
    if (missing > 0) throw await missingSource(real, wanted);
    const name = path.basename(real);
    const dir = await this.#openDir(path.dirname(real), name, confine);
    try {
      const { handle, stats } = await openRegular(dir, name);
      try {
        await dir.confirm(name, stats);
        await confine(path.join(dir.path, name), stats);
      } catch (error) {
        await handle.close();
        throw error;
      }
      const mode = uploadMode(Number(stats.mode), process.platform);
      return { path: path.join(dir.path, name), handle, size: Number(stats.size), uploadMode: mode };
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw hasErrno(error, 'ENOENT', 'ENOTDIR') ? sourceNotFound(wanted) : localIo('read', real, error);
    } finally {
      await dir.close();
    }
  }

  /**
   * Finds the destination of a file to receive, and follows a symbolic link to its target.
   * @throws AppError PATH_INVALID, PATH_OUTSIDE_TRANSFER_DIRS, DIRECTORY_NOT_FOUND, IS_A_DIRECTORY, NOT_A_REGULAR_FILE,
   * FILE_EXISTS, LOCAL_IO
   */
  async findDestination(localPath: string, overwrite: boolean): Promise<LocalDestination> {
    const { path: target, missing } = await resolvePath(await this.#absolute(localPath));
    const confine = await this.#confinement(localPath);
    await confine(target);
    const parent = path.dirname(target);
    if (missing > 1) throw directoryNotFound(parent);
    const name = path.basename(target);
    const dir = await this.#openDir(parent, name, confine);
    try {
      const stats = await lstat(dir, name, target);
      await confine(path.join(dir.path, name), stats);
      if (stats !== undefined) {
        refuseSpecial(stats, target);
        if (!overwrite) throw fileExists(target, 'local file');
      }
      const existing = stats === undefined ? undefined : await fs.lstat(dir.at(name)).catch(() => undefined);
      const openDir = async () => this.#openDir(parent, name, await this.#confinement(localPath));
      return { path: path.join(dir.path, name), existing, openDir };
    } finally {
      await dir.close();
    }
  }

  async #absolute(localPath: string): Promise<string> {
    checkLocalPath(localPath, process.platform);
    const [first] = this.#dirs;
    if (first === undefined) throw transferDirsUnset();
    // Private, because files from containers may contain secrets.
    await makeDirectories(first, 0o700).catch((error: unknown) => {
      throw localIo('create', first, error);
    });
    for (const dir of this.#dirs) {
      const real = this.#roots.get(dir) ?? (await fs.realpath(dir).catch(() => undefined));
      if (real !== undefined) this.#roots.set(dir, real);
    }
    return path.isAbsolute(localPath) ? path.normalize(localPath) : path.join(first, localPath);
  }

  /** Opens the directory of `name`, and refuses it if it was replaced since the check. */
  async #openDir(dir: string, name: string, confine: ConfineFile): Promise<ConfinedDir> {
    const confineDir = (real: string) => confine(path.join(real, name));
    return openConfined(dir, confineDir, this.#byHandle).catch((error: unknown) => {
      if (error instanceof AppError) throw error;
      throw hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')
        ? directoryNotFound(dir)
        : localIo('use', dir, error);
    });
  }

  /** The check for a transfer that requests this path. */
  async #confinement(asked: string): Promise<ConfineFile> {
    const reserved = await this.#reserved.find();
    return async (real, stats) => {
      const roots = [...this.#roots.values()].filter((dir) => contains(dir, real));
      const [root] = roots;
      if (root === undefined) throw outsideTransferDirs(asked, this.#dirs);
      await reserved.refuse({ asked, path: real, root, stats });
      const hidden = roots.map((dir) => dotName(dir, real));
      const [name] = hidden;
      if (name !== undefined && !hidden.includes(undefined)) throw dotNameRefused(asked, name);
    };
  }
}

/** @param real the path of the file, with links resolved @throws AppError PATH_OUTSIDE_TRANSFER_DIRS */
type ConfineFile = (real: string, stats?: BigIntStats) => Promise<void>;

/** Why a file cannot be found: it does not exist, or its directory is not accessible. */
async function missingSource(real: string, wanted: string): Promise<AppError> {
  const error: unknown = await fs.lstat(real).catch((reason: unknown) => reason);
  return hasErrno(error, 'EACCES', 'EPERM') ? localIo('read', wanted, error) : sourceNotFound(wanted);
}

async function openRegular(
  dir: ConfinedDir,
  name: string,
): Promise<{ readonly handle: fs.FileHandle; readonly stats: BigIntStats }> {
  const file = path.join(dir.path, name);
  const before = await fs.lstat(dir.at(name), { bigint: true });
  if (before.isSymbolicLink()) throw replaced(file);
  refuseSpecial(before, file);
  // O_NONBLOCK and O_NOFOLLOW: a FIFO or symlink that has replaced the file is neither awaited nor followed.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
  const handle = await fs.open(dir.at(name), flags).catch((error: unknown) => {
    throw hasErrno(error, 'ELOOP') ? replaced(file) : error;
  });
  const stats = await handle.stat({ bigint: true });
  // On Windows, the device and inode numbers of a path and of a handle differ.
  if (!stats.isFile() || (process.platform !== 'win32' && !isSame(stats, before))) {
    await handle.close();
    throw replaced(file);
  }
  return { handle, stats };
}

async function lstat(dir: ConfinedDir, name: string, target: string): Promise<BigIntStats | undefined> {
  return fs.lstat(dir.at(name), { bigint: true }).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw localIo('look at', target, error);
  });
}

function directoryNotFound(dir: string): AppError {
  return new AppError(
    'DIRECTORY_NOT_FOUND',
    `The local directory ${dir} does not exist.`,
    'Create it, or use an existing one.',
  );
}

function refuseSpecial(stats: Stats | BigIntStats, file: string): void {
  if (stats.isDirectory()) {
    throw new AppError(
      'IS_A_DIRECTORY',
      `${file} is a local directory, not a file.`,
      'Pack the directory with tar and transfer the archive.',
    );
  }
  if (!stats.isFile()) {
    throw new AppError(
      'NOT_A_REGULAR_FILE',
      `${file} is a local device, pipe or socket, not a regular file.`,
      'Use the path of a regular file.',
    );
  }
}
