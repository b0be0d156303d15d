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
  const parts = posix.resolve('/', path).split('/').filter(Boolean);
  if (path.endsWith('/') && parts.length > 0) followLast = true;
  let inode: Inode = root;
  let at: string[] = [];
  let links = 0;
  while (parts.length > 0) {
    const name = parts.shift() ?? '';
    if (name === '..') {
      at = at.slice(0, -1);
      inode =
        at.length === 0 ? root : (walk(root, `/${at.join('/')}`, true).inode ?? fail('ENOENT', 'stat', path));
      continue;
    }
    if (inode.kind !== 'directory') fail('ENOTDIR', 'stat', path);
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) fail('ENAMETOOLONG', 'stat', path);
    const next: Inode | undefined = inode.entries.get(name);
    if (next?.kind === 'link' && next.leadsTo !== undefined && (followLast || parts.length > 0)) {
      at.push(name);
      inode = next.leadsTo;
      continue;
    }
    if (next?.kind === 'link' && (followLast || parts.length > 0)) {
      links += 1;
      if (links > MAX_LINKS) fail('ELOOP', 'stat', path);
      parts.unshift(...next.target.split('/').filter((part) => part !== '' && part !== '.'));
      if (next.target.startsWith('/')) {
        inode = root;
        at = [];
      }
      continue;
    }
    at.push(name);
    if (next === undefined) {
      if (parts.length > 0) fail('ENOENT', 'stat', path);
      return { inode: undefined, path: `/${at.join('/')}` };
    }
    inode = next;
  }
  return { inode, path: `/${at.join('/')}` };
}
