/** A disk: what is written to it counts, and ends where it is full. */
export interface Volume {
  /** As `df` shows it. */
  readonly device: string;
  readonly type: string;
  /** Bytes; 0 for one that knows no limit and that `df` leaves out. */
  size: number;
  /** Bytes that are taken by what is not modelled as files. */
  base: number;
  /** Bytes of the files. */
  used: number;
  readOnly: boolean;
}

export function makeVolume(options: Partial<Volume> = {}): Volume {
  return { device: 'none', type: 'tmpfs', size: 0, base: 0, used: 0, readOnly: false, ...options };
}

export function freeBytes(volume: Volume): number {
  return volume.size === 0 ? Number.POSITIVE_INFINITY : Math.max(0, volume.size - volume.base - volume.used);
}

interface Meta {
  mode: number;
  uid: number;
  gid: number;
  mtime: Date;
  readonly ino: number;
  readonly volume: Volume;
}

export interface FileInode extends Meta {
  readonly kind: 'file';
  content: Buffer;
  links: number;
}
export interface DirectoryInode extends Meta {
  readonly kind: 'directory';
  readonly entries: Map<string, Inode>;
}
export interface LinkInode extends Meta {
  readonly kind: 'link';
  readonly target: string;
}
/** A file of /proc and the like, made anew whenever it is read; its size is 0, as there. */
export interface GeneratedInode extends Meta {
  readonly kind: 'generated';
  readonly generate: () => string;
}
export interface SpecialInode extends Meta {
  readonly kind: 'fifo' | 'device' | 'socket';
}
export type Inode = FileInode | DirectoryInode | LinkInode | GeneratedInode | SpecialInode;

let lastIno = 1000;

export function meta(volume: Volume, mode: number): Meta {
  lastIno += 1;
  return { mode, uid: 0, gid: 0, mtime: new Date(), ino: lastIno, volume };
}

export function makeDirectory(volume: Volume, mode = 0o755): DirectoryInode {
  return { kind: 'directory', entries: new Map(), ...meta(volume, mode) };
}

/** What `open` and its kin fail with, worded as Node words it, for that is what just-bash looks for. */
export class FileError extends Error {
  readonly code: keyof typeof TEXTS;
  readonly path: string;

  constructor(code: keyof typeof TEXTS, action: string, path: string) {
    super(`${code}: ${TEXTS[code]}, ${action} '${path}'`);
    this.code = code;
    this.path = path;
  }

  /** As programs print it: `No such file or directory`. */
  get text(): string {
    const text = this.message.slice(this.code.length + 2, this.message.lastIndexOf(', '));
    return text.charAt(0).toUpperCase() + text.slice(1);
  }
}

const TEXTS = {
  EACCES: 'permission denied',
  EEXIST: 'file exists',
  EINVAL: 'invalid argument',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
} as const;

export function fail(code: ConstructorParameters<typeof FileError>[0], action: string, path: string): never {
  throw new FileError(code, action, path);
}

/** Sets the content as far as the disk allows. @throws FileError ENOSPC, EROFS */
export function replaceContent(inode: FileInode, content: Buffer, path: string): void {
  const { volume } = inode;
  if (volume.readOnly) fail('EROFS', 'open', path);
  const growth = content.length - inode.content.length;
  if (growth > freeBytes(volume)) fail('ENOSPC', 'write', path);
  volume.used += growth;
  inode.content = content;
  inode.mtime = new Date();
}
