import { posix } from 'node:path';
import { type DirectoryInode, fail, type Inode } from './inode.ts';

const MAX_LINKS = 40;
export const MAX_NAME_BYTES = 255;

/**
 * The inode at a path, and the path without symbolic links; the last part need not exist.
 * @throws FileError ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG
 */
export function walk(
  root: DirectoryInode,
  path: string,
  followLast: boolean,
): { inode: Inode | undefined; path: string } {
  const parts = partsOf(path);
  if (path.endsWith('/') && parts.length > 0) followLast = true;
  let inode: Inode = root;
  let at: string[] = [];
  let links = 0;
  for (let index = 0; index < parts.length; ) {
    const name = parts[index] ?? '';
    index += 1;
    if (name === '..') {
      at = at.slice(0, -1);
      inode =
        at.length === 0 ? root : (walk(root, `/${at.join('/')}`, true).inode ?? fail('ENOENT', 'stat', path));
      continue;
    }
    if (inode.kind !== 'directory') fail('ENOTDIR', 'stat', path);
    if (isTooLong(name)) fail('ENAMETOOLONG', 'stat', path);
    const next: Inode | undefined = inode.entries.get(name);
    if (next?.kind === 'link' && next.leadsTo !== undefined && (followLast || index < parts.length)) {
      at.push(name);
      inode = next.leadsTo;
      continue;
    }
    if (next?.kind === 'link' && (followLast || index < parts.length)) {
      links += 1;
      if (links > MAX_LINKS) fail('ELOOP', 'stat', path);
      parts.splice(0, index, ...next.target.split('/').filter((part) => part !== '' && part !== '.'));
      index = 0;
      if (next.target.startsWith('/')) {
        inode = root;
        at = [];
      }
      continue;
    }
    at.push(name);
    if (next === undefined) {
      if (index < parts.length) fail('ENOENT', 'stat', path);
      return { inode: undefined, path: `/${at.join('/')}` };
    }
    inode = next;
  }
  return { inode, path: `/${at.join('/')}` };
}

/** Most paths are normalized already. */
function partsOf(path: string): string[] {
  const isNormal = path.startsWith('/') && !path.includes('//') && !path.includes('/.');
  return (isNormal ? path : posix.resolve('/', path)).split('/').filter(Boolean);
}

function isTooLong(name: string): boolean {
  // A UTF-16 unit has at most three bytes in UTF-8.
  return name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES;
}
