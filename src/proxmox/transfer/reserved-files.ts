import { type BigIntStats, promises as fs } from 'node:fs';
import * as path from 'node:path';
import { belongsToServer } from './local-file-errors.ts';
import { contains } from './local-path.ts';
import { resolvePath } from './resolve-path.ts';

/** Files and directories that no transfer reads or writes. The absolute paths need not exist. */
export interface ReservedPaths {
  /** Settings, secrets, rules, approvals and the audit log. */
  readonly files: readonly string[];
  /** The program itself, which must not be replaced. */
  readonly program: readonly string[];
}

/** The file that a transfer requests. */
export interface AskedFile {
  /** The path from the caller. */
  readonly asked: string;
  /** Absolute, with links resolved. */
  readonly path: string;
  /** The transfer directory that contains it. */
  readonly root: string;
  /** The stats of the file, if it exists. */
  readonly stats?: BigIntStats | undefined;
}

/**
 * Maximum number of files in reserved directories that are compared with a hard link. If there are more, the link is refused.
 */
const MAX_FILES = 20_000;

/** The reserved files and their inodes, read for one transfer. */
export interface FoundReserved {
  /** @throws AppError PATH_OUTSIDE_TRANSFER_DIRS */
  refuse(file: AskedFile): Promise<void>;
}

/** Recognizes reserved files by path and, where a file has several paths (hard links, bind mounts), by device and inode. */
export class ReservedFiles {
  readonly #reserved: ReservedPaths;

  constructor(reserved: ReservedPaths) {
    this.#reserved = reserved;
  }

  /** Resolves the current paths and inodes of the reserved files. */
  async find(): Promise<FoundReserved> {
    const all = [...this.#reserved.files, ...this.#reserved.program];
    const [forms, known] = await Promise.all([
      Promise.all(all.map(formsOf)).then((each) => [...new Set(each.flat().map(fold))]),
      Promise.all(all.map(statsOf)),
    ]);
    const isReserved = (stats: BigIntStats | undefined) =>
      stats !== undefined &&
      known.some((each) => each !== undefined && each.ino !== 0n && isSame(each, stats));
    return {
      refuse: async ({ asked, path: file, root, stats }) => {
        const folded = fold(file);
        if (forms.some((outer) => outer === folded || contains(outer, folded))) throw belongsToServer(asked);
        const dirs = await Promise.all(dirsBetween(root, file).map(statsOf));
        if ([stats, ...dirs].some(isReserved)) throw belongsToServer(asked);
        if (stats !== undefined && stats.nlink > 1n && (await this.#isLinkedFrom(stats)))
          throw belongsToServer(asked);
      },
    };
  }

  /** Whether a reserved directory contains a file with this device and inode. */
  async #isLinkedFrom(wanted: BigIntStats): Promise<boolean> {
    const pending = [...this.#reserved.files];
    let seen = 0;
    for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
      for (const entry of await fs.readdir(dir, { withFileTypes: true }).catch(() => [])) {
        const inner = path.join(dir, entry.name);
        seen += 1;
        if (seen > MAX_FILES) return true;
        if (entry.isDirectory()) pending.push(inner);
        else {
          const stats = await statsOf(inner);
          if (stats !== undefined && isSame(stats, wanted)) return true;
        }
      }
    }
    return false;
  }
}

/** The directories from `root` to the file. */
function dirsBetween(root: string, file: string): string[] {
  const names = path.relative(root, path.dirname(file)).split(path.sep);
  return [root, ...names.map((_, index) => path.join(root, ...names.slice(0, index + 1)))];
}

/** The resolved path of the file and, if its last name is a symlink, the path of that symlink. */
async function formsOf(file: string): Promise<string[]> {
  const [whole, parent] = await Promise.all([resolvePath(file), resolvePath(path.dirname(file))]);
  return [whole.path, path.join(parent.path, path.basename(file))];
}

/** Case-insensitive and normalized, so that a file is reserved in every spelling of its name. */
function fold(file: string): string {
  return file.normalize('NFC').toLowerCase();
}

/** Stats that are comparable with those of an open file. On Windows, those of a path are not. */
async function statsOf(file: string): Promise<BigIntStats | undefined> {
  if (process.platform !== 'win32') return fs.stat(file, { bigint: true }).catch(() => undefined);
  const handle = await fs.open(file, 'r').catch(() => undefined);
  return handle?.stat({ bigint: true }).finally(() => handle.close());
}

export function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}
