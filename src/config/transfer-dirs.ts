import * as z from 'zod/v4';
import { fault, isDirectory } from './formats.ts';
import { absolutePath, currentSurroundings, type HostEnvironment, pathsOf } from './host-environment.ts';

/** Directories separated as in PATH. Each must exist, so that a typo is reported at the start, not at the first transfer. */
export function directoryList(at: HostEnvironment) {
  return z.string().transform((value, ctx): readonly string[] => {
    const dirs = value
      .split(pathsOf(at).delimiter)
      .map((dir) => dir.trim())
      .filter((dir) => dir !== '')
      .map((dir) => absolutePath(at, dir));
    const missing = dirs.filter((dir) => !isDirectory(dir));
    if (dirs.length === 0) return fault(ctx, 'contains no directory');
    if (missing.length > 0) {
      return fault(
        ctx,
        `contains a path that is not a directory: ${missing.join(', ')}`,
        'Create it, or correct the path.',
      );
    }
    return [...new Set(dirs)];
  });
}

/**
 * The directories of this machine that transfers may use. Over HTTP there is no default: clients are on other machines, so no
 * directory here is meant for them.
 */
export function transferDirsOf(
  { transferDirs, http }: { readonly transferDirs?: readonly string[] | undefined; readonly http: boolean },
  at: HostEnvironment = currentSurroundings(),
): readonly string[] {
  return transferDirs ?? (http ? [] : [defaultTransferDir(at)]);
}

/**
 * The default transfer directory: the working directory, unless that is a root, a system or the home directory. Desktop clients
 * start servers in `/` or C:\Windows\System32, and a home directory contains keys. In those cases it is `~/proxmox-mcp`,
 * created on first use.
 */
export function defaultTransferDir(at: HostEnvironment): string {
  const { cwd, home } = at;
  const fallback = pathsOf(at).join(home, 'proxmox-mcp');
  const tooWide = isWithin(at, home, cwd) || pathsOf(at).parse(cwd).root === cwd;
  return tooWide || systemFolders(at).some((folder) => isWithin(at, cwd, folder)) ? fallback : cwd;
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
    const configured = names.map((name) => at.env[name]).filter((dir) => dir !== undefined && dir !== '');
    return [
      'C:\\Windows',
      'C:\\Program Files',
      'C:\\Program Files (x86)',
      'C:\\ProgramData',
      ...configured,
    ].filter((dir) => dir !== undefined);
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

/** Whether `inner` is `outer` or a path inside it. */
function isWithin(at: HostEnvironment, inner: string, outer: string): boolean {
  const paths = pathsOf(at);
  const relative = paths.relative(outer, inner);
  const outside = relative === '..' || relative.startsWith(`..${paths.sep}`) || paths.isAbsolute(relative);
  return !outside;
}
