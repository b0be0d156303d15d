import { FileError, type Inode } from '../files/inode.ts';
import { toBytes } from '../kernel/bytes.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

const BLOCK = 512;
/** As GNU tar pads an archive. */
const RECORD = 20 * BLOCK;
const LONGEST_NAME = 100;

/** tar with -c, -x, -f, -C, -p and --numeric-owner, for regular files, directories and symbolic links. */
export async function tar(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'cxpf:C:n', {
    long: { 'numeric-owner': 'n', create: 'c', extract: 'x', file: 'f', directory: 'C' },
    code: 2,
  });
  const file = options.value('f') ?? '-';
  const dir = options.value('C') ?? '.';
  if (options.has('c')) return create(call, file, dir, options.rest);
  if (options.has('x')) return extract(call, file, dir);
  throw new Failure("You must specify one of the '-Acdtrux' options", 2);
}

async function create(call: Call, file: string, dir: string, names: readonly string[]): Promise<number> {
  const output = (
    file === '-'
      ? call.process.fds.get(1)
      : await call.sys.open(file, { writes: true, create: true, truncate: true })
  ).retain();
  let written = 0;
  const write = async (bytes: Buffer) => {
    await output.write(call.process, bytes);
    written += bytes.length;
  };
  const add = async (name: string): Promise<void> => {
    const path = name.startsWith('/') ? name : `${dir}/${name}`;
    const inode = await call.sys.stat(path, false);
    const kind = KINDS[inode.kind];
    if (kind === undefined) return;
    const content = inode.kind === 'file' ? await call.sys.readFile(path) : Buffer.alloc(0);
    const stored = inode.kind === 'directory' ? `${name.replace(/\/$/, '')}/` : name;
    const target = inode.kind === 'link' ? toBytes(inode.target) : '';
    if (target.length > LONGEST_NAME) await write(longName('K', target));
    if (stored.length > LONGEST_NAME) await write(longName('L', stored));
    await write(header(stored, { kind, size: content.length, target, inode }));
    await write(padded(content));
    if (inode.kind !== 'directory') return;
    for (const entry of await call.sys.list(path)) await add(`${stored}${toBytes(entry)}`);
  };
  try {
    for (const name of names) await add(name);
    await write(Buffer.alloc(2 * BLOCK));
    await write(Buffer.alloc((RECORD - (written % RECORD)) % RECORD));
  } finally {
    output.release();
  }
  return 0;
}

const KINDS: Partial<Record<Inode['kind'], string>> = { file: '0', link: '2', directory: '5' };

interface Entry {
  readonly kind: string;
  readonly size: number;
  readonly target?: string;
  readonly inode?: Inode;
}

function header(name: string, { kind, size, target = '', inode }: Entry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (at: number, text: string) => block.write(text, at, 'latin1');
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  put(0, name.slice(0, LONGEST_NAME));
  put(100, octal((inode?.mode ?? 0) & 0o7777, 7));
  put(108, octal(inode?.uid ?? 0, 7));
  put(116, octal(inode?.gid ?? 0, 7));
  put(124, octal(size, 11));
  put(136, octal(Math.floor((inode?.mtime.getTime() ?? 0) / 1000), 11));
  put(148, ' '.repeat(8));
  put(156, kind);
  put(157, target.slice(0, LONGEST_NAME));
  put(257, 'ustar  ');
  put(
    148,
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  );
  return block;
}

/** The entry by which GNU tar stores a name that is too long for the next entry. */
function longName(kind: string, name: string): Buffer {
  const bytes = Buffer.from(`${name}\0`, 'latin1');
  return Buffer.concat([header('././@LongLink', { kind, size: bytes.length }), padded(bytes)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

async function extract(call: Call, file: string, dir: string): Promise<number> {
  const archive = await call.readInput(file);
  const long = { name: '', target: '' };
  const after: (() => Promise<void>)[] = [];
  let ended = false;
  let at = 0;
  while (at + BLOCK <= archive.length) {
    const block = archive.subarray(at, at + BLOCK);
    at += BLOCK;
    if (block.every((byte) => byte === 0)) {
      ended = true;
      break;
    }
    const text = (from: number, length: number) =>
      block.toString('latin1', from, from + length).replace(/\0.*$/s, '');
    const number = (from: number, length: number) => Number.parseInt(text(from, length).trim() || '0', 8);
    const size = number(124, 12);
    const content = archive.subarray(at, at + size);
    if (content.length < size) break;
    at += Math.ceil(size / BLOCK) * BLOCK;
    const kind = text(156, 1);
    if (kind === 'L') long.name = content.toString('latin1').replace(/\0$/, '');
    if (kind === 'K') long.target = content.toString('latin1').replace(/\0$/, '');
    if (kind === 'L' || kind === 'K') continue;
    const name = long.name || text(0, LONGEST_NAME);
    const target = long.target || text(157, LONGEST_NAME);
    long.name = '';
    long.target = '';
    const path = `${dir}/${name}`.replace(/\/$/, '');
    try {
      await put(call, path, { kind, content, target });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(`tar: ${name}: Cannot write: ${error.text}\n`);
      return 2;
    }
    const facts = { mode: number(100, 8), uid: number(108, 8), gid: number(116, 8) };
    const change = () => call.sys.change(path, (inode) => void Object.assign(inode, facts), false);
    // Those of directories last, as a directory may be without write permission.
    if (kind === '5') after.unshift(change);
    else await change();
  }
  for (const change of after) await change();
  if (ended) return 0;
  await call.warn('tar: Unexpected EOF in archive\n');
  return 2;
}

async function put(
  call: Call,
  path: string,
  { kind, content, target }: { kind: string; content: Buffer; target: string },
): Promise<void> {
  if (kind === '5') {
    if ((await call.sys.find(path, false))?.kind !== 'directory') await call.sys.makeDirectory(path);
    return;
  }
  if (kind === '2') return call.sys.symlink(target, path);
  const output = (await call.sys.open(path, { writes: true, create: true, truncate: true })).retain();
  try {
    await output.write(call.process, content);
  } finally {
    output.release();
  }
}
