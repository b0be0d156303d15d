import * as path from 'node:path';
import { invalidPath } from './local-file-errors.ts';

/**
 * Refuses a path that could refer to another file than it appears to.
 * @throws AppError PATH_INVALID
 */
export function checkLocalPath(localPath: string, platform: NodeJS.Platform): void {
  const why = faultOf(localPath, platform);
  if (why !== undefined) throw invalidPath(localPath, why);
}

function faultOf(localPath: string, platform: NodeJS.Platform): string | undefined {
  if (localPath.includes('\0')) return 'contains a NUL byte';
  const names = localPath.split(/[/\\]/);
  if (names.includes('..')) return 'contains ".."';
  // On Unix, a backslash is an ordinary character of a name.
  const separators = platform === 'win32' ? /[/\\]$/ : /\/$/;
  if (separators.test(localPath)) return 'names a directory';
  if (platform !== 'win32') return undefined;
  // "name:stream" is an alternate data stream, and "C:name" depends on the current directory of that drive.
  if (localPath.replace(/^[A-Za-z]:[/\\]/, '').includes(':')) return 'contains ":"';
  // Windows opens "name" for "name." and "name ".
  if (names.some((name) => name !== '.' && /[. ]$/.test(name))) return 'has a name that ends in "." or " "';
  return undefined;
}

/** Whether `file` is inside `dir`; `/data-x` is not inside `/data`. Both with links resolved. */
export function contains(dir: string, file: string): boolean {
  const relative = path.relative(dir, file);
  return (
    relative !== '' &&
    relative !== '..' &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  );
}

/**
 * The first name between `dir` and `file` that begins with a dot, because programs execute or read such files without being
 * asked (.git/hooks, .mcp.json, .envrc). Some file systems ignore invisible characters before the dot.
 */
export function dotName(dir: string, file: string): string | undefined {
  const names = path.relative(dir, file).split(path.sep);
  return names.find((name) => /^\p{Default_Ignorable_Code_Point}*\./u.test(name));
}
