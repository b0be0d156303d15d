import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { hasErrno } from '../../lib/errno.ts';
import { AppError } from '../../lib/errors.ts';
import {
  belongsToServer,
  fileExists,
  invalidPath,
  localIo,
  sourceNotFound,
  transferDirsUnset,
} from './local-file-errors.ts';

/** An opened local file that is about to be sent. The caller closes the handle. */
export interface LocalSource {
  readonly path: string;
  readonly handle: fs.FileHandle;
  readonly size: number;
}

/** A place for a file that is about to be received. */
export interface LocalDestination {
  readonly path: string;
  /** Of the file that stands there already. */
  readonly existing: Stats | undefined;
}

/** The local directories that transfers may read and write. Symbolic links are resolved before anything is compared. */
export class TransferDirs {
  readonly #dirs: readonly string[];
  readonly #shut: readonly string[];

  /**
   * @param dirs absolute paths, the first of which relative paths join
   * @param shut absolute paths of files and directories that no transfer touches although they may lie inside
   */
  constructor(dirs: readonly string[], shut: readonly string[]) {
    this.#dirs = dirs;
    this.#shut = shut;
  }

  /**
   * Opens a regular file inside the transfer directories for reading.
   * @throws AppError PATH_INVALID, PATH_OUTSIDE_TRANSFER_DIRS, SOURCE_NOT_FOUND, IS_A_DIRECTORY, NOT_A_REGULAR_FILE, LOCAL_IO
   */
  async openSource(localPath: string): Promise<LocalSource> {
    const wanted = await this.#absolute(localPath);
    const real = await fs.realpath(wanted).catch((error: unknown) => {
      throw hasErrno(error, 'ENOENT', 'ENOTDIR') ? sourceNotFound(wanted) : localIo('read', wanted, error);
    });
    await this.#confine(real, wanted);
    const before = await fs.stat(real).catch((error: unknown) => {
      throw localIo('read', real, error);
    });
    refuseSpecial(before, real);
    // O_NONBLOCK and O_NOFOLLOW: what became a fifo or a link since then is not waited for or followed.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
    const handle = await fs.open(real, flags).catch((error: unknown) => {
      throw localIo('read', real, error);
    });
    const opened = await handle.stat();
    // Windows reports other numbers for a path than for a handle.
    const same = process.platform === 'win32' || (opened.ino === before.ino && opened.dev === before.dev);
    if (!opened.isFile() || !same) {
      await handle.close();
      throw localIo('read', real, new Error('it was replaced while being opened'));
    }
    return { path: real, handle, size: opened.size };
  }

  /**
   * Finds the place for a file to be received; a symbolic link is followed to what it names.
   * @throws AppError PATH_INVALID, PATH_OUTSIDE_TRANSFER_DIRS, DIRECTORY_NOT_FOUND, IS_A_DIRECTORY, NOT_A_REGULAR_FILE, FILE_EXISTS, LOCAL_IO
   */
  async findDestination(localPath: string, overwrite: boolean): Promise<LocalDestination> {
    let target = await this.#absolute(localPath);
    for (let hops = 0; hops < 16; hops++) {
      const parent = await realDirectory(path.dirname(target));
      target = path.join(parent, path.basename(target));
      await this.#confine(target, localPath);
      const existing = await fs.lstat(target).catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT')) return undefined;
        throw localIo('look at', target, error);
      });
      if (existing?.isSymbolicLink()) {
        // Not normalised: realpath must see a `..` behind a linked directory as the system does.
        const link = await fs.readlink(target);
        target = path.isAbsolute(link) ? link : `${parent}${path.sep}${link}`;
        continue;
      }
      if (existing) {
        refuseSpecial(existing, target);
        if (!overwrite) throw fileExists(target, 'local file');
      }
      return { path: target, existing };
    }
    throw new AppError(
      'PATH_INVALID',
      `${localPath} leads through too many symbolic links.`,
      'Name the file directly.',
    );
  }

  async #absolute(localPath: string): Promise<string> {
    if (localPath.includes('\0')) throw invalidPath(localPath, 'contains a NUL byte');
    if (localPath.split(/[/\\]/).includes('..')) throw invalidPath(localPath, 'contains ".."');
    // A backslash is part of a name except on Windows.
    if (localPath.endsWith('/') || localPath.endsWith(path.sep)) {
      throw invalidPath(localPath, 'names a directory');
    }
    // On Windows "name:stream" is a hidden stream of a file, and "C:name" depends on that drive's directory.
    if (process.platform === 'win32' && localPath.replace(/^[A-Za-z]:[/\\]/, '').includes(':')) {
      throw invalidPath(localPath, 'contains ":"');
    }
    const [first] = this.#dirs;
    if (first === undefined) throw transferDirsUnset();
    await fs.mkdir(first, { recursive: true }).catch((error: unknown) => {
      throw localIo('create', first, error);
    });
    return path.isAbsolute(localPath) ? path.normalize(localPath) : path.join(first, localPath);
  }

  async #confine(real: string, asked: string): Promise<void> {
    for (const own of this.#shut) {
      const realOwn = await fs.realpath(own).catch(() => own);
      // Where a name can be written in several cases, it is shut in all of them.
      const [outer, inner] = [realOwn.toLowerCase(), real.toLowerCase()];
      if (outer === inner || contains(outer, inner)) throw belongsToServer(asked);
    }
    for (const dir of this.#dirs) {
      const realDir = await fs.realpath(dir).catch(() => undefined);
      if (realDir !== undefined && contains(realDir, real)) return;
    }
    throw new AppError(
      'PATH_OUTSIDE_TRANSFER_DIRS',
      `${asked} is outside the directories that transfers may use (${this.#dirs.join(', ')}).`,
      'Use a path inside them, a relative one joins the first; the operator can add directories to TRANSFER_DIRS.',
    );
  }
}

/** Whether `file` lies inside `dir`; `/data-x` does not lie inside `/data`. Both with links resolved. */
export function contains(dir: string, file: string): boolean {
  const relative = path.relative(dir, file);
  return (
    relative !== '' &&
    relative !== '..' &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  );
}

async function realDirectory(dir: string): Promise<string> {
  try {
    const real = await fs.realpath(dir);
    if ((await fs.stat(real)).isDirectory()) return real;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw localIo('look at', dir, error);
  }
  throw new AppError(
    'DIRECTORY_NOT_FOUND',
    `The local directory ${dir} does not exist.`,
    'Create it, or choose an existing one.',
  );
}

function refuseSpecial(stats: Stats, file: string): void {
  if (stats.isDirectory()) {
    throw new AppError(
      'IS_A_DIRECTORY',
      `${file} is a local directory, not a file.`,
      'Name a file; pack a directory with tar first.',
    );
  }
  if (!stats.isFile()) {
    throw new AppError(
      'NOT_A_REGULAR_FILE',
      `${file} is a local device, pipe or socket, not a regular file.`,
      'Name a regular file.',
    );
  }
}
