import { FileError, type Inode } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { df, du, volumeValues } from './disks.ts';
import { ls, modeText, ownerName, sizeOf } from './ls.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that report the state of files and disks. */
export const fileQueryPrograms: readonly (readonly [string, Program])[] = [
  ['ls', ls],
  ['stat', stat],
  ['readlink', readlink],
  [
    'realpath',
    async (call) => {
      for (const name of parseOptions(call.args, 'msqe').rest)
        await call.printBytes(`${toBytes(await call.sys.realPath(name))}\n`);
      return 0;
    },
  ],
  ['df', df],
  ['du', du],
  [
    'file',
    async (call) => {
      for (const name of call.args) {
        const { kind } = await call.sys.stat(name, false);
        await call.printBytes(`${name}: ${kind === 'file' ? 'data' : kind}\n`);
      }
      return 0;
    },
  ],
];

const TYPES: Readonly<Record<Inode['kind'], string>> = {
  file: 'regular file',
  generated: 'regular empty file',
  directory: 'directory',
  link: 'symbolic link',
  fifo: 'fifo',
  device: 'character special file',
  socket: 'socket',
};

const TYPE_BITS: Readonly<Record<Inode['kind'], number>> = {
  file: 0o100000,
  generated: 0o100000,
  directory: 0o040000,
  link: 0o120000,
  fifo: 0o010000,
  device: 0o020000,
  socket: 0o140000,
};

async function stat(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'Lfc:t', {
    long: { format: 'c', printf: 'c', dereference: 'L', 'file-system': 'f' },
  });
  if (options.rest.length === 0) throw new Failure('missing operand');
  let code = 0;
  for (const name of options.rest) {
    try {
      const inode = await call.sys.stat(name, options.has('L') || options.has('f'));
      const format =
        options.value('c') ??
        `  File: %n\n  Size: %s\t%F\nAccess: (%a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\nModify: %y`;
      const values = options.has('f') ? volumeValues(inode, name) : inodeValues(call.machine, inode, name);
      await call.printBytes(
        `${format.replaceAll(/%([a-zA-Z%])/g, (whole, letter: string) => (letter === '%' ? '%' : (values[letter] ?? whole)))}\n`,
      );
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(
        `stat: cannot ${options.has('f') ? 'read file system information for' : 'statx'} '${fromBytes(name)}': ${error.text}\n`,
      );
      code = 1;
    }
  }
  return code;
}

function inodeValues(machine: Machine, inode: Inode, name: string): Record<string, string> {
  const seconds = String(Math.floor(inode.mtime.getTime() / 1000));
  const text = inode.mtime.toISOString().replace('T', ' ').replace('Z', '000000 +0000');
  return {
    a: (inode.mode & 0o7777).toString(8),
    A: modeText(inode),
    b: String(Math.ceil(sizeOf(inode) / 512)),
    B: '512',
    d: '2049',
    f: ((inode.mode & 0o7777) | TYPE_BITS[inode.kind]).toString(16),
    F: inode.kind === 'file' && inode.content.length === 0 ? 'regular empty file' : TYPES[inode.kind],
    g: String(inode.gid),
    G: ownerName(machine, 'group', inode.gid),
    h: inode.kind === 'file' ? String(inode.links) : '1',
    i: String(inode.ino),
    n: name,
    N: inode.kind === 'link' ? `'${name}' -> '${toBytes(inode.target)}'` : `'${name}'`,
    o: '4096',
    s: String(sizeOf(inode)),
    u: String(inode.uid),
    U: ownerName(machine, 'passwd', inode.uid),
    X: seconds,
    Y: seconds,
    Z: seconds,
    x: text,
    y: text,
    z: text,
  };
}

async function readlink(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'efmnqsvz', { long: { canonicalize: 'f', 'no-newline': 'n' } });
  let code = 0;
  for (const name of options.rest) {
    try {
      const full = ['e', 'f', 'm'].some((letter) => options.has(letter));
      const path = full ? await call.sys.realPath(name) : await call.sys.readLink(name);
      if (options.has('e')) await call.sys.stat(name);
      await call.printBytes(toBytes(path) + (options.has('n') ? '' : '\n'));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (options.has('v')) await call.warn(`readlink: ${fromBytes(name)}: ${error.text}\n`);
      code = 1;
    }
  }
  return code;
}
