import { posix } from 'node:path';
import { Access } from '../files/access.ts';
import { FileError, fail, type Inode, replaceContent } from '../files/inode.ts';
import type { VirtualFs } from '../files/virtual-fs.ts';
import { fromBytes } from './bytes.ts';
import { Device, OpenDirectory, type OpenFile } from './open-file.ts';
import { openFifo } from './pipe.ts';
import type { Process } from './process.ts';
import { RegularFile } from './regular-file.ts';

export interface OpenFlags {
  readonly reads?: boolean;
  readonly writes?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly append?: boolean;
  readonly mode?: number;
}

/**
 * The system calls of a program on files, with the permissions of its user. Paths are byte strings and may be relative. Every
 * function waits while the file system hangs.
 * @throws FileError, Killed
 */
export class SystemCalls {
  readonly process: Process;

  constructor(process: Process) {
    this.process = process;
  }

  get #files(): VirtualFs {
    return this.process.machine.files;
  }

  get access(): Access {
    return new Access(this.#files, this.process.uid);
  }

  /** The absolute path, with /proc/self resolved for the process. */
  absolute(path: string): string {
    const text = fromBytes(path);
    const full = text.startsWith('/') ? text : `${this.process.cwd}/${text}`;
    const own = full
      .replace(/^\/dev\/(stdin|stdout|stderr)$/, (_whole, name) => `/proc/self/fd/${STANDARD[name]}`)
      .replace(/^\/dev\/fd(?=\/|$)/, '/proc/self/fd')
      .replace(/^\/proc\/self(?=\/|$)/, `/proc/${this.process.pid}`);
    return own.endsWith('/') && own !== '/'
      ? `${posix.normalize(own).replace(/\/$/, '')}/`
      : posix.normalize(own);
  }

  async stat(path: string, followLast = true): Promise<Inode> {
    const full = await this.#reach(path);
    return this.#files.get(full, followLast);
  }

  /** undefined if the file does not exist, or is not accessible to this user. */
  async find(path: string, followLast = true): Promise<Inode | undefined> {
    try {
      return this.#files.find(await this.#reach(path), followLast);
    } catch (error) {
      if (error instanceof FileError) return undefined;
      throw error;
    }
  }

  async open(path: string, flags: OpenFlags): Promise<OpenFile> {
    if (path === '') fail('ENOENT', 'open', path);
    const full = await this.#reach(path);
    const fd = /^\/proc\/(\d+)\/fd\/(\d+)$/.exec(full);
    if (fd && Number(fd[1]) === this.process.pid) return this.process.fds.get(Number(fd[2]));
    let inode = this.#files.find(full);
    if (inode && flags.create === true && flags.exclusive === true) fail('EEXIST', 'open', path);
    if (!inode) {
      if (flags.create !== true) {
        this.#files.get(full);
        return fail('ENOENT', 'open', path);
      }
      if (full.endsWith('/')) fail('EISDIR', 'open', path);
      this.#make(full, (at) => this.#files.createFile(at, (flags.mode ?? 0o666) & ~this.process.umask));
      inode = this.#files.get(full);
    } else {
      if (flags.writes === true && inode.kind === 'directory') fail('EISDIR', 'open', path);
      if (flags.reads === true) this.access.requireRead(full);
      if (flags.writes === true) this.#requireWrite(full);
    }
    if (flags.writes === true && inode.volume.readOnly && inode.kind === 'file') fail('EROFS', 'open', path);
    if (inode.kind === 'directory') return new OpenDirectory(full, inode);
    if (inode.kind === 'device') return new Device(full, inode);
    if (inode.kind === 'fifo') return openFifo(this.process, inode, full, flags.writes === true);
    if (inode.kind !== 'file' && inode.kind !== 'generated') return fail('ENXIO', 'open', path);
    if (inode.kind === 'file' && flags.truncate === true) replaceContent(inode, Buffer.alloc(0), path);
    const append = flags.append === true;
    return new RegularFile(full, inode, {
      reads: flags.reads === true,
      writes: flags.writes === true,
      append,
    });
  }

  /** Names in a directory, sorted by their bytes. */
  async list(path: string): Promise<string[]> {
    const full = await this.#reach(path);
    const directory = this.#files.directory(full, 'open');
    this.access.requireRead(full);
    return [...directory.entries.keys()].sort();
  }

  async makeDirectory(path: string, mode = 0o777): Promise<void> {
    const full = await this.#reach(path);
    if (this.#files.find(full, false)) fail('EEXIST', 'mkdir', path);
    this.#make(full.replace(/(.)\/$/, '$1'), (at) =>
      this.#files.makeDirectory(at, mode & ~this.process.umask),
    );
  }

  async symlink(target: string, path: string): Promise<void> {
    this.#make(await this.#reach(path), (at) => this.#files.symlink(fromBytes(target), at));
  }

  async link(existing: string, path: string): Promise<void> {
    const [from, to] = [await this.#reach(existing), await this.#reach(path)];
    this.#requireChange(to);
    this.#files.hardLink(from, to);
  }

  /** Creates a named pipe or a device. */
  async makeSpecial(path: string, kind: 'fifo' | 'device', mode = 0o666): Promise<void> {
    this.#make(await this.#reach(path), (at) =>
      this.#files.makeSpecial(at, kind, mode & ~this.process.umask),
    );
  }

  async remove(path: string, recursive = false): Promise<void> {
    const full = await this.#reach(path);
    this.#files.get(full, false);
    this.#requireChange(full);
    this.#files.remove(full, recursive);
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [await this.#reach(from), await this.#reach(to)];
    this.#requireChange(source);
    this.#requireChange(target);
    this.#files.rename(source, target);
  }

  /** Changes mode, owner or time. */
  async change(path: string, change: (inode: Inode) => void, followLast = true): Promise<void> {
    const full = await this.#reach(path);
    const inode = this.#files.get(full, followLast);
    if (inode.volume.readOnly) fail('EROFS', 'change', path);
    if (this.process.machine.refusesChange(full)) fail('EACCES', 'change', path);
    this.access.requireOwner(full);
    change(inode);
  }

  /** Target of a symbolic link. */
  async readLink(path: string): Promise<string> {
    const inode = await this.stat(path, false);
    return inode.kind === 'link' ? inode.target : fail('EINVAL', 'readlink', path);
  }

  /** The path without symbolic links; the last part need not exist. */
  async realPath(path: string): Promise<string> {
    return this.#files.resolve(await this.#reach(path));
  }

  /** Whether the user may read (4), write (2) or execute (1) it. */
  async may(path: string, bit: 1 | 2 | 4): Promise<boolean> {
    const inode = await this.find(path);
    if (!inode) return false;
    if (bit === 2 && inode.volume.readOnly) return false;
    if (bit === 2 && this.process.machine.refusesChange(this.absolute(path))) return false;
    if (bit === 1 && inode.kind !== 'directory' && this.process.uid === 0) return (inode.mode & 0o111) !== 0;
    return (this.access.bits(inode) & bit) !== 0;
  }

  /** The whole content of a file. */
  async readFile(path: string): Promise<Buffer> {
    const file = (await this.open(path, { reads: true })).retain();
    try {
      return await readToEnd(this.process, file);
    } finally {
      file.release();
    }
  }

  async #reach(path: string): Promise<string> {
    if (this.process.mustWait) await this.process.ready();
    const full = this.absolute(path);
    for (let queue = this.process.machine.hangs(full); queue; queue = this.process.machine.hangs(full))
      await this.process.block(queue);
    if (path === '') fail('ENOENT', 'stat', path);
    this.access.requireReach(full);
    return full;
  }

  #requireWrite(full: string): void {
    if (this.process.machine.refusesChange(full)) fail('EACCES', 'open', full);
    this.access.requireWrite(full);
  }

  /** Only the kernel creates entries in /proc. */
  #requireChange(full: string): void {
    if (full.startsWith('/proc/') || this.process.machine.refusesChange(full)) fail('EACCES', 'create', full);
    this.access.requireChange(full);
  }

  #make(full: string, make: (path: string) => void): void {
    this.#requireChange(full);
    make(full);
    this.access.own(full);
  }
}

const STANDARD: Readonly<Record<string, number>> = { stdin: 0, stdout: 1, stderr: 2 };

export async function readToEnd(process: Process, file: OpenFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await file.read(process, 65_536);
    if (chunk.length === 0) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    chunks.push(chunk);
  }
}
