import { posix } from 'node:path';
import { fail, type Inode } from './inode.ts';
import type { VirtualFs } from './virtual-fs.ts';

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/**
 * The permissions of one user on the files of a machine. A user's only group has the same number as the user; root may do
 * anything.
 */
export class Access {
  readonly #files: VirtualFs;
  readonly #uid: number;

  constructor(files: VirtualFs, uid: number) {
    this.#files = files;
    this.#uid = uid;
  }

  /** The permission bits of a file that apply to this user, as one octal digit. */
  bits({ mode, uid, gid }: Inode): number {
    if (this.#uid === 0) return READ | WRITE | SEARCH;
    return (uid === this.#uid ? mode >> 6 : gid === this.#uid ? mode >> 3 : mode) & 7;
  }

  /**
   * The mode with the applicable bits in the position of the owner, where `test -r` and similar commands read them for every
   * user.
   */
  modeAsSeen(inode: Inode): number {
    return this.#uid === 0 ? inode.mode : (inode.mode & ~0o700) | (this.bits(inode) << 6);
  }

  /** Requires search permission on the path. @throws FileError EACCES; nothing for a path that does not exist */
  requireReach(path: string): void {
    if (this.#uid === 0) return;
    for (let at = posix.dirname(path); ; at = posix.dirname(at)) {
      const directory = this.#files.find(at);
      if (directory && (this.bits(directory) & SEARCH) === 0) fail('EACCES', 'stat', path);
      if (at === '/' || at === '.') return;
    }
  }

  /** @throws FileError EACCES */
  requireRead(path: string): void {
    this.#require(path, READ);
  }

  /** Requires permission to write the file, or to create it if it does not exist. @throws FileError EACCES */
  requireWrite(path: string): void {
    if (this.#uid !== 0 && this.#files.find(path) === undefined) this.requireChange(path);
    else this.#require(path, WRITE);
  }

  /** Requires permission to create, rename or remove the directory entry. @throws FileError EACCES, EPERM */
  requireChange(path: string): void {
    if (this.#uid === 0) return;
    this.requireReach(path);
    const parent = this.#files.find(posix.dirname(path));
    if (!parent) return;
    if ((this.bits(parent) & WRITE) === 0) fail('EACCES', 'open', path);
    const inode = this.#files.find(path, false);
    const sticky = (parent.mode & 0o1000) !== 0 && parent.uid !== this.#uid;
    if (inode && sticky && inode.uid !== this.#uid) fail('EPERM', 'unlink', path);
  }

  /** Requires permission to change mode, owner and times. @throws FileError EACCES, EPERM */
  requireOwner(path: string): void {
    this.requireReach(path);
    const inode = this.#files.find(path);
    if (this.#uid !== 0 && inode && inode.uid !== this.#uid) fail('EPERM', 'chmod', path);
  }

  /** A new file belongs to the user that created it. */
  own(path: string): void {
    const inode = this.#uid === 0 ? undefined : this.#files.find(path, false);
    if (inode) Object.assign(inode, { uid: this.#uid, gid: this.#uid });
  }

  #require(path: string, bit: number): void {
    if (this.#uid === 0) return;
    this.requireReach(path);
    const inode = this.#files.find(path);
    if (inode && (this.bits(inode) & bit) === 0) fail('EACCES', 'open', path);
  }
}
