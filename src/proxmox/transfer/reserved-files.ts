import { type BigIntStats, promises as fs } from 'node:fs';
import * as path from 'node:path';
import { belongsToServer } from './local-file-errors.ts';
import { contains } from './local-path.ts';
import { resolvePath } from './resolve-path.ts';

/** Files and directories that no transfer reads or writes: absolute paths, which need not exist. */
export interface ReservedPaths {
  /** Settings, secrets, rules, approvals and the audit log. */
  readonly files: readonly string[];
  /** The program itself: it may be read by another name, but is not to be replaced. */
  readonly program: readonly string[];
}

/** A file that a transfer asks for. */
export interface AskedFile {
  /** As the caller named it. */
  readonly asked: string;
  /** Absolute, links resolved. */
  readonly path: string;
  /** The transfer directory that it lies in. */
  readonly root: string;
  /** Of the file itself, if it exists. */
  readonly stats?: BigIntStats | undefined;
}

/** More files in reserved directories than that are not looked through for a hard link; then the link is refused. */
const MAX_FILES = 20_000;

/** What is reserved, as it is found on the disk for one transfer. */
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

  /** Looks where the reserved files are now. */
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

  /** Whether a file in a reserved directory is the one with these numbers. */
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

/** The directories of a file, from `root` on. */
function dirsBetween(root: string, file: string): string[] {
  const names = path.relative(root, path.dirname(file)).split(path.sep);
  return [root, ...names.map((_, index) => path.join(root, ...names.slice(0, index + 1)))];
}

/** The file itself, and the link to it if its last name is one. */
async function formsOf(file: string): Promise<string[]> {
  const [whole, parent] = await Promise.all([resolvePath(file), resolvePath(path.dirname(file))]);
  return [whole.path, path.join(parent.path, path.basename(file))];
}

/** Where a name can be written in several cases or forms, it is reserved in all of them. */
function fold(file: string): string {
  return file.normalize('NFC').toLowerCase();
}

/** Numbers that can be compared with those of an open file: Windows reports others for a path. */
async function statsOf(file: string): Promise<BigIntStats | undefined> {
  if (process.platform !== 'win32') return fs.stat(file, { bigint: true }).catch(() => undefined);
  const handle = await fs.open(file, 'r').catch(() => undefined);
  return handle?.stat({ bigint: true }).finally(() => handle.close());
}

export function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}
