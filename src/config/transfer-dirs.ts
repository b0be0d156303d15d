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
 * Where transfers may read and write when TRANSFER_DIRS is unset: `~/proxmox-mcp`, made when first used. Not the working
 * directory: programs there act upon files that a container could supply (.git/hooks, .mcp.json, CLAUDE.md).
 */
export function defaultTransferDir(at: HostEnvironment): string {
  return pathsOf(at).join(at.home, 'proxmox-mcp');
}
