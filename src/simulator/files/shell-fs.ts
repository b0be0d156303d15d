import { posix } from 'node:path';
import type { IFileSystem } from 'just-bash';
import { Access } from './access.ts';
import { FileError, type Inode } from './inode.ts';
import type { VirtualFs } from './virtual-fs.ts';
import { reworded } from './wording.ts';

type Content = Parameters<IFileSystem['writeFile']>[1];
type Encoding = Parameters<IFileSystem['writeFile']>[2];
type Stat = Awaited<ReturnType<IFileSystem['stat']>>;

/** What stands behind a path that is no file: the streams of a running command, and the shell's own builtins. */
export interface StreamPaths {
  /** Builtins are looked up in PATH like everything else, and found in /usr/bin and /bin. */
  isBuiltin(name: string): boolean;
  /** @returns undefined when the path is a plain one */
  write(path: string, bytes: Buffer): Promise<void> | undefined;
}

interface Place {
  readonly files: VirtualFs;
  /** Waits as long as the path can't be reached (a cluster file system that hangs). */
  gate(path: string): Promise<void>;
}

/** A machine's files as just-bash sees them in one run of one user. */
export class ShellFs implements IFileSystem {
  readonly #files: VirtualFs;
  readonly #access: Access;
  readonly #streams: StreamPaths;
  readonly #place: Place;
  readonly #refused = new Set<string>();

  constructor(place: Place, uid: number, streams: StreamPaths) {
    this.#place = place;
    this.#files = place.files;
    this.#access = new Access(place.files, uid);
    this.#streams = streams;
  }

  /** What programs of just-bash say of failures of this run, in the words of real ones. */
  explain(text: Buffer): Buffer {
    return Buffer.from(reworded(text.toString('latin1'), this.#refused), 'latin1');
  }

  async readFile(path: string): Promise<string> {
    return (await this.#bytes(path)).toString('utf8');
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    return this.#bytes(path);
  }

  async writeFile(path: string, content: Content, encoding?: Encoding): Promise<void> {
    const bytes = bytesOf(content, encoding);
    await (this.#streams.write(path, bytes) ?? this.#make(path, () => this.#files.write(path, bytes)));
  }

  async appendFile(path: string, content: Content, encoding?: Encoding): Promise<void> {
    const bytes = bytesOf(content, encoding);
    await (this.#streams.write(path, bytes) ?? this.#make(path, () => this.#files.append(path, bytes)));
  }

  async exists(path: string): Promise<boolean> {
    if (this.#unreal(path) !== undefined) return true;
    const reachable = await this.#reach(path).then(
      () => true,
      () => false,
    );
    return reachable && this.#files.exists(path);
  }

  async stat(path: string): Promise<Stat> {
    const unreal = this.#unreal(path);
    if (unreal) return unreal;
    await this.#reach(path);
    const inode = this.#files.get(path);
    return { ...statOf(inode), mode: this.#access.modeAsSeen(inode) };
  }

  async lstat(path: string): Promise<Stat> {
    const unreal = this.#unreal(path);
    if (unreal) return unreal;
    await this.#reach(path);
    return statOf(this.#files.get(path, false));
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    if (options?.recursive) {
      if (this.#files.exists(path)) return;
      if (path !== '/') await this.mkdir(posix.dirname(path), options);
    }
    await this.#make(path, () => this.#files.makeDirectory(path));
  }

  async readdir(path: string): Promise<string[]> {
    await this.#read(path);
    return this.#files.list(path);
  }

  async readdirWithFileTypes(path: string) {
    await this.#read(path);
    return this.#files.list(path).map((name) => {
      const kind = this.#files.find(posix.join(path, name), false)?.kind;
      return {
        name,
        isFile: kind === 'file' || kind === 'generated',
        isDirectory: kind === 'directory',
        isSymbolicLink: kind === 'link',
      };
    });
  }

  async rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void> {
    if (options?.force && this.#files.find(path, false) === undefined) return;
    this.#noting(path, () => this.#access.requireChange(path));
    this.#files.remove(path, options?.recursive);
  }

  async cp(from: string, to: string, options?: { recursive?: boolean }): Promise<void> {
    await this.#read(from);
    const inode = this.#files.get(from);
    if (inode.kind !== 'directory') {
      await this.#make(to, () => this.#files.write(to, this.#files.read(from), { mode: inode.mode }));
      return;
    }
    if (!options?.recursive) throw new FileError('EISDIR', 'cp', from);
    await this.mkdir(to, { recursive: true });
    for (const name of inode.entries.keys())
      await this.cp(posix.join(from, name), posix.join(to, name), options);
  }

  async mv(from: string, to: string): Promise<void> {
    this.#noting(from, () => this.#access.requireChange(from));
    this.#noting(to, () => this.#access.requireChange(to));
    this.#files.rename(from, to);
  }

  resolvePath(base: string, path: string): string {
    return posix.resolve(base, path);
  }

  getAllPaths(): string[] {
    return [];
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#noting(path, () => this.#access.requireOwner(path));
    this.#files.get(path).mode = mode;
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.#make(path, () => this.#files.symlink(target, path));
  }

  async link(existing: string, path: string): Promise<void> {
    await this.#reach(existing);
    this.#noting(path, () => this.#access.requireChange(path));
    this.#files.hardLink(existing, path);
  }

  async readlink(path: string): Promise<string> {
    const inode = this.#files.get(path, false);
    if (inode.kind !== 'link') throw new FileError('EINVAL', 'readlink', path);
    return inode.target;
  }

  async realpath(path: string): Promise<string> {
    this.#files.get(path);
    return this.#files.resolve(path);
  }

  async utimes(path: string, _atime: Date, mtime: Date): Promise<void> {
    this.#noting(path, () => this.#access.requireOwner(path));
    this.#files.get(path).mtime = mtime;
  }

  #isBuiltin(path: string): boolean {
    const name = /^(?:\/usr)?\/bin\/([^/]+)$/.exec(path)?.[1];
    return name !== undefined && this.#streams.isBuiltin(name);
  }

  #unreal(path: string): Stat | undefined {
    const stream = this.#streams.write(path, Buffer.alloc(0)) !== undefined;
    if (!stream && !this.#isBuiltin(path)) return undefined;
    const mtime = new Date(0);
    return { isFile: true, isDirectory: false, isSymbolicLink: false, mode: 0o755, size: 0, mtime };
  }

  async #bytes(path: string): Promise<Buffer> {
    if (this.#isBuiltin(path)) return Buffer.alloc(0);
    await this.#read(path);
    return this.#files.read(path);
  }

  async #reach(path: string): Promise<void> {
    await this.#place.gate(path);
    this.#noting(path, () => this.#access.requireReach(path));
  }

  async #read(path: string): Promise<void> {
    await this.#place.gate(path);
    this.#noting(path, () => this.#access.requireRead(path));
  }

  /** Writes or makes what stands at the path, for this user. */
  async #make(path: string, act: () => void): Promise<void> {
    this.#noting(path, () => this.#access.requireWrite(path));
    const isNew = !this.#files.exists(path);
    act();
    if (isNew) this.#access.own(path);
  }

  #noting(path: string, check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#refused.add(path);
      throw error;
    }
  }
}

function bytesOf(content: Content, encoding: Encoding): Buffer {
  if (typeof content !== 'string') return Buffer.from(content);
  const name = typeof encoding === 'string' ? encoding : (encoding?.encoding ?? 'utf8');
  return Buffer.from(content, name === 'binary' ? 'latin1' : name);
}

function statOf(inode: Inode): Stat {
  return {
    isFile: inode.kind === 'file' || inode.kind === 'generated',
    isDirectory: inode.kind === 'directory',
    isSymbolicLink: inode.kind === 'link',
    mode: inode.mode,
    size: inode.kind === 'file' ? inode.content.length : inode.kind === 'link' ? inode.target.length : 0,
    mtime: inode.mtime,
    ino: inode.ino,
  };
}
