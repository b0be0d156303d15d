import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { AppError } from '../../lib/errors.ts';

export interface ResolvedPath {
  /** Absolute, with all symbolic links resolved, including a link to a missing file. */
  readonly path: string;
  /** The number of trailing names that do not exist. */
  readonly missing: number;
}

/** The limit of Linux. */
const MAX_LINKS = 40;

/**
 * Resolves an absolute path, whether or not the file exists: the existing part is resolved, and the rest is appended. The
 * caller checks the path before it reports whether the file exists.
 * @throws AppError PATH_INVALID for circular links
 */
export async function resolvePath(file: string): Promise<ResolvedPath> {
  const whole = await fs.realpath(file).catch(() => undefined);
  if (whole !== undefined) return { path: whole, missing: 0 };
  let at = path.parse(file).root;
  let missing = 0;
  let links = 0;
  const pending = namesOf(file);
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      at = path.dirname(at);
      missing = Math.max(0, missing - 1);
      continue;
    }
    const next = path.join(at, name);
    const link = missing > 0 ? undefined : await fs.readlink(next).catch(() => undefined);
    if (link === undefined) {
      if (missing > 0 || !(await exists(next))) missing += 1;
      at = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw tooManyLinks(file);
    if (path.isAbsolute(link)) at = path.parse(link).root;
    pending.unshift(...namesOf(link));
  }
  return { path: await canonical(at, missing), missing };
}

function namesOf(file: string): string[] {
  return file
    .slice(path.parse(file).root.length)
    .split(path.sep)
    .filter((name) => name !== '' && name !== '.');
}

/** The existing part in the spelling of the file system, which may ignore case. */
async function canonical(file: string, missing: number): Promise<string> {
  let existing = file;
  const rest: string[] = [];
  for (let count = 0; count < missing; count += 1) {
    rest.unshift(path.basename(existing));
    existing = path.dirname(existing);
  }
  return path.join(await fs.realpath(existing).catch(() => existing), ...rest);
}

function exists(file: string): Promise<boolean> {
  return fs.lstat(file).then(
    () => true,
    () => false,
  );
}

function tooManyLinks(file: string): AppError {
  return new AppError(
    'PATH_INVALID',
    `${file} contains too many symbolic links.`,
    'Use the path of the file itself.',
  );
}
