import { posix } from 'node:path';
import {
  appendContent,
  type DirectoryInode,
  type FileInode,
  fail,
  type Inode,
  makeDirectory,
  makeVolume,
  meta,
  replaceContent,
  type SpecialInode,
  type Volume,
} from './inode.ts';
import { MAX_NAME_BYTES, walk } from './walk.ts';

/**
 * The files of one machine in memory: with owners, hard links, disks of limited size and special files. All methods are
 * synchronous, so nothing else happens between two steps of a program.
 */
export class VirtualFs {
  readonly root: DirectoryInode;

  constructor(volume: Volume = makeVolume()) {
    this.root = makeDirectory(volume);
  }

  // --- reading --------------------------------------------------------------------------------------------

  /** @throws FileError ENOENT, ENOTDIR, ELOOP */
  get(path: string, followLast = true): Inode {
    return walk(this.root, path, followLast).inode ?? fail('ENOENT', 'stat', path);
  }

  find(path: string, followLast = true): Inode | undefined {
    try {
      return walk(this.root, path, followLast).inode;
    } catch {
      return undefined;
    }
  }

  exists(path: string): boolean {
    return this.find(path) !== undefined;
  }

  read(path: string): Buffer {
    const inode = this.get(path);
    if (inode.kind === 'file') return inode.content;
    if (inode.kind === 'generated') return Buffer.from(inode.generate());
    if (inode.kind === 'directory') fail('EISDIR', 'read', path);
    return Buffer.alloc(0);
  }

  readText(path: string): string {
    return this.read(path).toString('utf8');
  }

  /** @throws FileError ENOENT, ENOTDIR, ELOOP */
  directory(path: string, action = 'scandir'): DirectoryInode {
    const inode = walk(this.root, path, true).inode ?? fail('ENOENT', action, path);
    return inode.kind === 'directory' ? inode : fail('ENOTDIR', action, path);
  }

  list(path: string): string[] {
    return [...this.directory(path).entries.keys()].sort();
  }

  /** The path without symbolic links; the last part need not exist. */
  resolve(path: string): string {
    return walk(this.root, path, true).path;
  }

  // --- writing --------------------------------------------------------------------------------------------

  /** Writes a file, and replaces its content if it exists. `parents` creates missing directories. */
  write(
    path: string,
    content: string | Uint8Array,
    options: { mode?: number; parents?: boolean } = {},
  ): void {
    if (options.parents === true) this.makeDirectories(posix.dirname(path));
    const bytes = Buffer.from(content);
    const found = walk(this.root, path, true);
    if (found.inode) {
      if (found.inode.kind === 'directory') fail('EISDIR', 'open', path);
      if (found.inode.kind === 'generated') fail('EACCES', 'open', path);
      if (found.inode.kind !== 'file') return;
      replaceContent(found.inode, bytes, path);
      if (options.mode !== undefined) found.inode.mode = options.mode;
      return;
    }
    const inode = this.createFile(path, options.mode ?? 0o644);
    replaceContent(inode, bytes, path);
  }

  append(path: string, content: Uint8Array): void {
    const inode = walk(this.root, path, true).inode;
    if (inode?.kind === 'file') appendContent(inode, inode.content.length, Buffer.from(content), path);
    else this.write(path, content);
  }

  /** Truncates a file, or extends it with zeros. @throws FileError ENOENT, EINVAL, EROFS, ENOSPC */
  truncate(path: string, size: number): void {
    const inode = this.get(path);
    if (inode.kind !== 'file') fail('EINVAL', 'truncate', path);
    const content = size > inode.content.length ? Buffer.alloc(size) : inode.content.subarray(0, size);
    if (size > inode.content.length) inode.content.copy(content);
    replaceContent(inode, content, path);
  }

  /** Creates an empty file that must not exist yet. */
  createFile(path: string, mode: number): FileInode {
    const parent = this.#parentOf(path, 'open');
    const inode: FileInode = {
      kind: 'file',
      content: Buffer.alloc(0),
      links: 1,
      ...meta(parent.directory.volume, mode),
    };
    this.#enter(parent, inode, path, 'open');
    return inode;
  }

  makeDirectory(path: string, mode = 0o755): void {
    const parent = this.#parentOf(path, 'mkdir');
    this.#enter(parent, makeDirectory(parent.directory.volume, mode), path, 'mkdir');
  }

  makeDirectories(path: string): void {
    const inode = this.find(path);
    if (inode?.kind === 'directory') return;
    if (inode !== undefined) fail('ENOTDIR', 'mkdir', path);
    this.makeDirectories(posix.dirname(path));
    this.makeDirectory(path);
  }

  makeSpecial(path: string, kind: SpecialInode['kind'], mode = 0o644): void {
    const parent = this.#parentOf(path, 'mknod');
    this.#enter(parent, { kind, ...meta(parent.directory.volume, mode) }, path, 'mknod');
  }

  /** A file whose content is generated at every read. */
  generate(path: string, content: () => string | Buffer, mode = 0o444, size = 0): void {
    this.makeDirectories(posix.dirname(path));
    const parent = this.#parentOf(path, 'open');
    this.#enter(
      parent,
      { kind: 'generated', generate: content, size, ...meta(parent.directory.volume, mode) },
      path,
      'open',
    );
  }

  symlink(target: string, path: string): void {
    const parent = this.#parentOf(path, 'symlink');
    this.#enter(parent, { kind: 'link', target, ...meta(parent.directory.volume, 0o777) }, path, 'symlink');
  }

  hardLink(existing: string, path: string): void {
    const inode = this.get(existing, false);
    if (inode.kind !== 'file') fail('EPERM', 'link', existing);
    this.#enter(this.#parentOf(path, 'link'), inode, path, 'link');
    inode.links += 1;
  }

  /** Mounts a directory of this tree or of another one at a path. Its contents stay on their disk. */
  mount(path: string, directory: DirectoryInode): void {
    this.makeDirectories(posix.dirname(path));
    const { directory: parent, name } = this.#parentOf(path, 'mount');
    parent.entries.set(name, directory);
  }

  /** Replaces the directory at a path. */
  replaceDirectory(path: string, directory: DirectoryInode): void {
    const { directory: parent, name } = this.#parentOf(path, 'mount');
    parent.entries.set(name, directory);
  }

  remove(path: string, recursive = false): void {
    const parent = this.#parentOf(path, 'unlink');
    const inode = parent.directory.entries.get(parent.name) ?? fail('ENOENT', 'unlink', path);
    if (inode.volume.readOnly) fail('EROFS', 'unlink', path);
    if (inode.kind === 'directory') {
      if (inode.entries.size > 0 && !recursive) fail('ENOTEMPTY', 'rmdir', path);
      for (const name of [...inode.entries.keys()]) this.remove(posix.join(path, name), true);
    }
    this.#leave(parent, inode);
  }

  /** rename(2): replaces an existing file in one step. */
  rename(from: string, to: string): void {
    const source = this.#parentOf(from, 'rename');
    const inode = source.directory.entries.get(source.name) ?? fail('ENOENT', 'rename', from);
    const target = this.#parentOf(to, 'rename');
    if (inode.volume.readOnly) fail('EROFS', 'rename', from);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === inode) return;
    if (replaced?.kind === 'directory') {
      if (inode.kind !== 'directory') fail('EISDIR', 'rename', to);
      if (replaced.entries.size > 0) fail('ENOTEMPTY', 'rename', to);
    }
    if (replaced) this.#leave(target, replaced);
    source.directory.entries.delete(source.name);
    target.directory.entries.set(target.name, inode);
  }

  // --- private --------------------------------------------------------------------------------------------

  /**
   * The directory that contains the last part of the path. A symbolic link at the end is not followed here, but by the callers.
   */
  #parentOf(path: string, action: string): { directory: DirectoryInode; name: string } {
    const clean = posix.normalize(path).replace(/\/$/, '');
    const name = posix.basename(clean);
    if (name === '') fail('EEXIST', action, path);
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) fail('ENAMETOOLONG', action, path);
    return { directory: this.directory(posix.dirname(clean), action), name };
  }

  #enter(
    parent: { directory: DirectoryInode; name: string },
    inode: Inode,
    path: string,
    action: string,
  ): void {
    const there = parent.directory.entries.get(parent.name);
    if (there?.kind === 'link' && action === 'open') {
      // Creating a file through a dangling symlink creates its target.
      const target = this.#parentOf(this.resolve(path), action);
      this.#enter(target, inode, path, 'create');
      return;
    }
    if (there) fail('EEXIST', action, path);
    if (parent.directory.volume.readOnly) fail('EROFS', action, path);
    parent.directory.entries.set(parent.name, inode);
    parent.directory.mtime = new Date();
  }

  #leave(parent: { directory: DirectoryInode; name: string }, inode: Inode): void {
    parent.directory.entries.delete(parent.name);
    parent.directory.mtime = new Date();
    if (inode.kind !== 'file') return;
    inode.links -= 1;
    if (inode.links === 0) inode.volume.used -= inode.content.length;
  }
}
