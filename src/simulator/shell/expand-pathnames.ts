import { FileError } from '../files/inode.ts';
import { toBytes } from '../kernel/bytes.ts';
import type { SystemCalls } from '../kernel/system-calls.ts';
import { hasPattern, matchesName } from './pattern.ts';

/** Paths that match the pattern, sorted by their bytes; empty if none does. */
export async function expandPathnames(sys: SystemCalls, pattern: string): Promise<string[]> {
  const pieces = pattern.split('/');
  let found = [''];
  for (const [index, piece] of pieces.entries()) {
    const last = index === pieces.length - 1;
    const next: string[] = [];
    for (const prefix of found) {
      if (piece === '' || !hasPattern(piece)) {
        const path = prefix + piece.replaceAll(/\\(.)/gs, '$1');
        if (last ? path === '' || (await sys.find(path === '' ? '/' : path, false)) : true)
          next.push(last ? path : `${path}/`);
        continue;
      }
      for (const name of await namesIn(sys, prefix === '' ? '.' : prefix)) {
        if (!matchesName(piece, name)) continue;
        if (last) next.push(prefix + name);
        else if ((await sys.find(prefix + name))?.kind === 'directory') next.push(`${prefix}${name}/`);
      }
    }
    found = next;
  }
  return found.filter((path) => path !== '');
}

async function namesIn(sys: SystemCalls, path: string): Promise<string[]> {
  try {
    return (await sys.list(path)).map(toBytes);
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}
