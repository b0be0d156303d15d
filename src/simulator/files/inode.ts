/** A disk with a limited size. */
export interface Volume {
  /** The device name that `df` prints. */
  readonly device: string;
  readonly type: string;
  /** Bytes; 0 for a disk without a limit, which `df` omits. */
  size: number;
  /** Bytes used by data that is not modeled as files. */
  base: number;
  /** Bytes used by files. */
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
  /** The buffer that begins with `content`; larger while the file grows. */
  storage?: Buffer;
  /** The bytes before this position may still be in the hands of a reader, so they are not changed in place. */
  lentTo?: number;
  links: number;
}
export interface DirectoryInode extends Meta {
  readonly kind: 'directory';
  readonly entries: Map<string, Inode>;
}
export interface LinkInode extends Meta {
  readonly kind: 'link';
  readonly target: string;
  /** The target of a link in /proc, which may differ from the text of the link. */
  readonly leadsTo?: DirectoryInode;
}
/** A file as in /proc, generated on every read; its size is 0, as in /proc. */
export interface GeneratedInode extends Meta {
  readonly kind: 'generated';
  readonly generate: () => string | Buffer;
  /** The size that `stat` reports; 0 by default. In /sys it is a whole page, however short the content. */
  readonly size?: number;
  /** Handles written data; undefined if the file cannot be written. */
  readonly accept?: (bytes: string) => void;
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

/** A copy of the content of a directory, which later changes of the original do not affect. */
export function copyDirectory(directory: DirectoryInode): DirectoryInode {
  const entries = [...directory.entries].map(([name, inode]): [string, Inode] => [
    name,
    inode.kind === 'directory' ? copyDirectory(inode) : copyOf(inode),
  ]);
  return { ...directory, entries: new Map(entries) };
}

/** Generated files become files with their current content. */
function copyOf(inode: Exclude<Inode, DirectoryInode>): Inode {
  if (inode.kind === 'file') return { ...inode, content: Buffer.from(inode.content) };
  if (inode.kind !== 'generated') return { ...inode };
  const content = Buffer.from(inode.generate());
  return { ...inode, generate: () => content };
}

/** The error of a failed system call. */
export class FileError extends Error {
  readonly code: keyof typeof TEXTS;
  readonly path: string;

  constructor(code: keyof typeof TEXTS, action: string, path: string) {
    // Programs get it as a result, many times in a script: a stack trace would be most of its cost.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`${code}: ${TEXTS[code]}, ${action} '${path}'`);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.path = path;
  }

  /** The message that programs print: `No such file or directory`. */
  get text(): string {
    const text = this.message.slice(this.code.length + 2, this.message.lastIndexOf(', '));
    return text.charAt(0).toUpperCase() + text.slice(1);
  }
}

const TEXTS = {
  EACCES: 'permission denied',
  EBADF: 'bad file descriptor',
  EEXIST: 'file exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EISDIR: 'is a directory',
  ENOEXEC: 'exec format error',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENXIO: 'no such device or address',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
} as const;

export function fail(code: ConstructorParameters<typeof FileError>[0], action: string, path: string): never {
  throw new FileError(code, action, path);
}

/** Sets the content, limited by the free space. @throws FileError ENOSPC, EROFS */
export function replaceContent(inode: FileInode, content: Buffer, path: string): void {
  const { volume } = inode;
  if (volume.readOnly) fail('EROFS', 'open', path);
  const growth = content.length - inode.content.length;
  if (growth > freeBytes(volume)) fail('ENOSPC', 'write', path);
  volume.used += growth;
  inode.content = content;
  inode.mtime = new Date();
}

/** Bytes of a file that never change, also when the file does; without a copy of them. */
export function readContent(inode: FileInode, from: number, to: number): Buffer {
  const piece = inode.content.subarray(from, to);
  inode.lentTo = Math.max(inode.lentTo ?? 0, from + piece.length);
  return piece;
}

/** A file that is full gets at most this many bytes more than it needs: pages that are not used cost nothing. */
const MOST_SPARE = 1024 ** 3;

/**
 * Writes into a file at a position, limited by the free space.
 * @returns the number of written bytes.
 * @throws FileError ENOSPC, EROFS
 */
export function appendContent(inode: FileInode, at: number, bytes: Buffer, path: string): number {
  const { volume } = inode;
  if (volume.readOnly) fail('EROFS', 'write', path);
  const old = inode.content.length;
  const room = freeBytes(volume) + Math.max(0, old - at);
  const length = Math.min(bytes.length, room);
  if (length === 0 && bytes.length > 0) fail('ENOSPC', 'write', path);
  const size = Math.max(old, at + length);
  const fits =
    inode.storage !== undefined &&
    inode.storage.length >= size &&
    startsWith(inode.storage, inode.content) &&
    Math.min(old, at) >= (inode.lentTo ?? 0);
  if (!fits) {
    // Doubled, because larger files would otherwise be copied again and again.
    inode.storage = Buffer.alloc(Math.min(2 * size, size + MOST_SPARE));
    inode.content.copy(inode.storage);
    inode.lentTo = 0;
  }
  const storage = inode.storage ?? Buffer.alloc(0);
  storage.fill(0, old, Math.max(old, at));
  bytes.copy(storage, at, 0, length);
  inode.content = storage.subarray(0, size);
  volume.used += size - old;
  inode.mtime = new Date();
  if (length < bytes.length) fail('ENOSPC', 'write', path);
  return length;
}

/** Whether the content is still the beginning of that buffer: it may have been replaced. */
function startsWith(storage: Buffer, content: Buffer): boolean {
  return storage.buffer === content.buffer && storage.byteOffset === content.byteOffset;
}
