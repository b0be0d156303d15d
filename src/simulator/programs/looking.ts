import { posix } from 'node:path';
import { FileError, freeBytes, type Inode, type Volume } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that tell what is known of files and disks. */
export const lookingPrograms: readonly (readonly [string, Program])[] = [
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

function ownerName(machine: Machine, list: 'passwd' | 'group', id: number): string {
  if (list === 'passwd' && machine.vmid === null) return machine.userName(id);
  const { files } = machine;
  const lines = files.exists(`/etc/${list}`) ? files.readText(`/etc/${list}`).split('\n') : [];
  return lines.find((line) => line.split(':')[2] === String(id))?.split(':')[0] ?? String(id);
}

export function sizeOf(inode: Inode): number {
  return inode.kind === 'file'
    ? inode.content.length
    : inode.kind === 'link'
      ? inode.target.length
      : inode.kind === 'directory'
        ? 4096
        : inode.kind === 'generated'
          ? (inode.size ?? 0)
          : 0;
}

const LETTERS: Readonly<Record<Inode['kind'], string>> = {
  file: '-',
  generated: '-',
  directory: 'd',
  link: 'l',
  fifo: 'p',
  device: 'c',
  socket: 's',
};

function modeText(inode: Inode): string {
  const bits = [6, 3, 0].map((shift) => {
    const digit = (inode.mode >> shift) & 7;
    return `${digit & 4 ? 'r' : '-'}${digit & 2 ? 'w' : '-'}${digit & 1 ? 'x' : '-'}`;
  });
  const text = bits.join('');
  return (
    LETTERS[inode.kind] +
    ((inode.mode & 0o1000) !== 0 ? `${text.slice(0, 8)}${text[8] === 'x' ? 't' : 'T'}` : text)
  );
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function timeText(time: Date): string {
  const [date = '', clock = ''] = time.toISOString().split('T');
  const [year = '', month, day] = date.split('-');
  const recent = Date.now() - time.getTime() < 180 * 86_400_000;
  return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${recent ? clock.slice(0, 5) : ` ${year}`}`;
}

async function ls(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'aAlh1dtrSRFincCZsgop', {
    code: 2,
    long: { all: 'a', 'almost-all': 'A', 'human-readable': 'h', directory: 'd', color: 'C', recursive: 'R' },
  });
  const names = options.rest.length === 0 ? ['.'] : options.rest;
  const files: { name: string; inode: Inode }[] = [];
  const directories: string[] = [];
  let code = 0;
  for (const name of names) {
    try {
      const inode = await call.sys.stat(name, !options.has('l') && !options.has('d'));
      if (inode.kind === 'directory' && !options.has('d')) directories.push(name);
      else files.push({ name, inode });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(`ls: cannot access '${fromBytes(name)}': ${error.text}\n`);
      code = 2;
    }
  }
  const sorted = (entries: { name: string; inode: Inode }[]) => {
    const list = entries.sort((a, b) =>
      options.has('t')
        ? b.inode.mtime.getTime() - a.inode.mtime.getTime()
        : options.has('S')
          ? sizeOf(b.inode) - sizeOf(a.inode)
          : a.name < b.name
            ? -1
            : 1,
    );
    return options.has('r') ? list.reverse() : list;
  };
  const show = async (entries: readonly { name: string; inode: Inode }[]) => {
    if (!options.has('l')) {
      await call.printBytes(
        entries
          .map(({ name, inode }) => `${name}${options.has('F') && inode.kind === 'directory' ? '/' : ''}\n`)
          .join(''),
      );
      return;
    }
    const rows = entries.map(({ name, inode }) => {
      const size = sizeOf(inode);
      const target = inode.kind === 'link' ? ` -> ${toBytes(inode.target)}` : '';
      const numeric = options.has('n');
      const owner = numeric ? String(inode.uid) : ownerName(call.machine, 'passwd', inode.uid);
      const group = numeric ? String(inode.gid) : ownerName(call.machine, 'group', inode.gid);
      const links = inode.kind === 'file' ? inode.links : inode.kind === 'directory' ? 2 : 1;
      return [
        modeText(inode),
        String(links),
        owner,
        group,
        options.has('h') ? humanSize(size) : String(size),
        timeText(inode.mtime),
        name + target,
      ];
    });
    const widths = [0, 1, 2, 3, 4].map((column) =>
      Math.max(0, ...rows.map((row) => (row[column] ?? '').length)),
    );
    for (const [mode = '', links = '', owner = '', group = '', size = '', time = '', name = ''] of rows)
      await call.printBytes(
        `${mode} ${links.padStart(widths[1] ?? 0)} ${owner.padEnd(widths[2] ?? 0)} ${group.padEnd(widths[3] ?? 0)} ${size.padStart(widths[4] ?? 0)} ${time} ${name}\n`,
      );
  };
  await show(sorted(files));
  const list = async (name: string, titled: boolean, first: boolean): Promise<void> => {
    let entries: string[];
    try {
      entries = await call.sys.list(name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(`ls: cannot open directory '${fromBytes(name)}': ${error.text}\n`);
      code = 2;
      return;
    }
    if (titled) await call.printBytes(`${first ? '' : '\n'}${name}:\n`);
    const shown = [...(options.has('a') ? ['.', '..'] : []), ...entries.map(toBytes)].filter(
      (entry) => options.has('a') || options.has('A') || !entry.startsWith('.'),
    );
    const found: { name: string; inode: Inode }[] = [];
    for (const entry of shown) {
      const inode = await call.sys.find(
        `${name.replace(/\/$/, '')}/${entry}`,
        entry === '..' || entry === '.',
      );
      if (inode) found.push({ name: entry, inode });
    }
    if (options.has('l'))
      await call.print(
        `total ${found.reduce((sum, { inode }) => sum + Math.ceil(sizeOf(inode) / 4096) * 4, 0)}\n`,
      );
    await show(sorted(found));
    if (!options.has('R')) return;
    for (const { name: entry, inode } of found)
      if (inode.kind === 'directory' && entry !== '.' && entry !== '..')
        await list(`${name}/${entry}`, true, false);
  };
  for (const [index, name] of directories.entries())
    await list(
      name,
      directories.length > 1 || files.length > 0 || options.has('R'),
      index === 0 && files.length === 0,
    );
  return code;
}

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

const BLOCK = 4096;

function volumeValues({ volume }: Inode, name: string): Record<string, string> {
  const free = Number.isFinite(freeBytes(volume)) ? Math.floor(freeBytes(volume) / BLOCK) : 1_000_000_000;
  const total = volume.size === 0 ? 1_000_000_000 : Math.floor(volume.size / BLOCK);
  return {
    a: String(free),
    b: String(total),
    c: '1000000',
    d: '900000',
    f: String(free),
    i: '1',
    l: '255',
    n: name,
    s: String(BLOCK),
    S: String(BLOCK),
    t: 'ef53',
    T: volume.type === 'ext4' ? 'ext2/ext3' : volume.type,
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

async function df(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'hkmPTilax:t:B:', {
    long: { 'human-readable': 'h', 'print-type': 'T', portability: 'P', output: 'B', total: 'a' },
  });
  const human = options.has('h');
  const unit = options.has('m') ? 1024 ** 2 : 1024;
  const show = (bytes: number) => (human ? humanSize(bytes) : String(Math.ceil(bytes / unit)));
  const wanted: Volume[] = [];
  for (const name of options.rest) wanted.push((await call.sys.stat(name)).volume);
  const rows = volumes(call.machine)
    .filter(([, volume]) => wanted.length === 0 || wanted.includes(volume))
    .map(([path, volume]) => {
      const taken = volume.size - freeBytes(volume);
      const percent = `${Math.ceil((taken / volume.size) * 100)}%`;
      const type = options.has('T') ? [volume.type] : [];
      return [volume.device, ...type, show(volume.size), show(taken), show(freeBytes(volume)), percent, path];
    });
  const heads = human
    ? ['Size', 'Used', 'Avail']
    : [options.has('P') ? '1024-blocks' : options.has('m') ? '1M-blocks' : '1K-blocks', 'Used', 'Available'];
  const table = [
    [
      'Filesystem',
      ...(options.has('T') ? ['Type'] : []),
      ...heads,
      options.has('P') ? 'Capacity' : 'Use%',
      'Mounted on',
    ],
    ...rows,
  ];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  for (const [device = '', ...cells] of table) {
    const path = cells.pop() ?? '';
    const numbers = cells.map((cell, index) => cell.padStart(widths[index + 1] ?? 0)).join(' ');
    await call.print(`${device.padEnd(widths[0] ?? 0)} ${numbers} ${path}\n`);
  }
  return 0;
}

/** The disks with a limit, by where they are mounted. */
function volumes({ files }: Machine): [string, Volume][] {
  const found: [string, Volume][] = files.root.volume.size > 0 ? [['/', files.root.volume]] : [];
  for (const top of ['/', '/mnt', '/srv', '/var/lib']) {
    const directory = files.find(top);
    if (directory?.kind !== 'directory') continue;
    for (const [name, inode] of directory.entries) {
      const known = found.some(([, volume]) => volume === inode.volume);
      if (inode.kind === 'directory' && inode.volume.size > 0 && !known)
        found.push([posix.join(top, name), inode.volume]);
    }
  }
  return found;
}

async function du(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'abchksmxd:', {
    long: { summarize: 's', 'human-readable': 'h', 'max-depth': 'd', bytes: 'b', all: 'a' },
  });
  const depth = options.has('s') ? 0 : Number(options.value('d') ?? Number.POSITIVE_INFINITY);
  const show = (bytes: number) =>
    options.has('h')
      ? humanSize(bytes)
      : options.has('b')
        ? String(bytes)
        : String(Math.ceil(bytes / (options.has('m') ? 1024 ** 2 : 1024)));
  const measure = async (name: string, level: number): Promise<number> => {
    const inode = await call.sys.stat(name, false);
    let size = options.has('b') ? sizeOf(inode) : Math.ceil(sizeOf(inode) / BLOCK) * BLOCK;
    if (inode.kind === 'directory')
      for (const entry of await call.sys.list(name))
        size += await measure(`${name.replace(/\/$/, '')}/${toBytes(entry)}`, level + 1);
    if (level <= depth && (inode.kind === 'directory' || level === 0 || options.has('a')))
      await call.printBytes(`${show(size)}\t${name}\n`);
    return size;
  };
  let total = 0;
  for (const name of options.rest.length === 0 ? ['.'] : options.rest) total += await measure(name, 0);
  if (options.has('c')) await call.print(`${show(total)}\ttotal\n`);
  return 0;
}

export function humanSize(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${units[unit]}`;
}
