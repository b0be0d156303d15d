import * as z from 'zod/v4';
import { fault, isDirectory } from './formats.ts';
import { absolutePath, currentSurroundings, type HostEnvironment, pathsOf } from './host-environment.ts';

/** Directories separated as in PATH; each must exist, a slip here would otherwise show as a refused transfer much later. */
export function directoryList(at: HostEnvironment) {
  return z.string().transform((value, ctx): readonly string[] => {
    const dirs = value
      .split(pathsOf(at).delimiter)
      .map((dir) => dir.trim())
      .filter((dir) => dir !== '')
      .map((dir) => absolutePath(at, dir));
    const missing = dirs.filter((dir) => !isDirectory(dir));
    if (dirs.length === 0) return fault(ctx, 'names no directory');
    if (missing.length > 0) {
      return fault(
        ctx,
        `names what is not a directory here: ${missing.join(', ')}`,
        'Create it, or correct the path.',
      );
    }
    return [...new Set(dirs)];
  });
}

/**
 * Where transfers may read and write on this machine. None over HTTP unless they were named: whoever calls is elsewhere,
 * and no directory of this machine was meant for them.
 */
export function transferDirsOf(
  { transferDirs, http }: { readonly transferDirs?: readonly string[] | undefined; readonly http: boolean },
  at: HostEnvironment = currentSurroundings(),
): readonly string[] {
  return transferDirs ?? (http ? [] : [defaultTransferDir(at)]);
}

/**
 * Where transfers may read and write when nobody said: the working directory, if a person could have
 * chosen it. Desktop clients start servers in `/` or in C:\Windows\System32, and a whole home
 * directory with its keys is too much to hand to a model: then `~/proxmox-mcp`, made when first used.
 */
export function defaultTransferDir(at: HostEnvironment): string {
  const { cwd, home } = at;
  const own = pathsOf(at).join(home, 'proxmox-mcp');
  const tooWide = isWithin(at, home, cwd) || pathsOf(at).parse(cwd).root === cwd;
  return tooWide || systemFolders(at).some((folder) => isWithin(at, cwd, folder)) ? own : cwd;
}

function systemFolders(at: HostEnvironment): readonly string[] {
  const { join } = pathsOf(at);
  if (at.platform === 'win32') {
    const names = [
      'SystemRoot',
      'ProgramFiles',
      'ProgramFiles(x86)',
      'ProgramData',
      'APPDATA',
      'LOCALAPPDATA',
    ];
    const told = names.map((name) => at.env[name]).filter((dir) => dir !== undefined && dir !== '');
    return ['C:\\Windows', 'C:\\Program Files', 'C:\\Program Files (x86)', 'C:\\ProgramData', ...told].filter(
      (dir) => dir !== undefined,
    );
  }
  const unix = [
    'bin',
    'boot',
    'dev',
    'etc',
    'lib',
    'lib32',
    'lib64',
    'proc',
    'run',
    'sbin',
    'sys',
    'usr',
    'var',
  ];
  const mac = ['/System', '/Library', '/Applications', '/private/etc', join(at.home, 'Library')];
  return [...unix.map((name) => `/${name}`), ...(at.platform === 'darwin' ? mac : [])];
}

/** Whether `inner` is `outer` or lies below it. */
function isWithin(at: HostEnvironment, inner: string, outer: string): boolean {
  const paths = pathsOf(at);
  const way = paths.relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${paths.sep}`) && !paths.isAbsolute(way));
}
