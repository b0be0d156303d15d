import * as z from 'zod/v4';
import { reject } from './formats.ts';
import { absolutePath, currentEnvironment, type HostEnvironment, pathsOf } from './host-environment.ts';
import { isDirectory } from './path-formats.ts';

/** Directories separated as in PATH. Each must exist, so that a typo is reported at the start, not at the first transfer. */
export function directoryList(at: HostEnvironment) {
  return z.string().transform((value, ctx): readonly string[] => {
    const dirs = value
      .split(pathsOf(at).delimiter)
      .map((dir) => dir.trim())
      .filter((dir) => dir !== '')
      .map((dir) => absolutePath(at, dir));
    const missing = dirs.filter((dir) => !isDirectory(dir));
    if (dirs.length === 0) return reject(ctx, 'contains no directory');
    if (missing.length > 0) {
      return reject(
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
  at: HostEnvironment = currentEnvironment(),
): readonly string[] {
  return transferDirs ?? (http ? [] : [defaultTransferDir(at)]);
}

/**
 * The default transfer directory: `~/proxmox-mcp`, created on first use. The working directory is not used, because other
 * programs act on files in it that a container could supply (.git/hooks, .mcp.json, CLAUDE.md).
 */
export function defaultTransferDir(at: HostEnvironment): string {
  return pathsOf(at).join(at.home, 'proxmox-mcp');
}
