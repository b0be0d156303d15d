import { posix } from 'node:path';
import { freeBytes, type Inode, type Volume } from '../files/inode.ts';
import { toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { sizeOf } from './ls.ts';
import { parseBytes, parseOptions } from './options.ts';
import type { Call } from './program.ts';

export const BLOCK = 4096;

export function volumeValues({ volume }: Inode, name: string): Record<string, string> {
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

export async function df(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'hkmPTilax:t:B:', {
    long: { 'human-readable': 'h', 'print-type': 'T', portability: 'P', output: 'B', total: 'a' },
  });
  const human = options.has('h');
  const unit = options.has('m') ? 1024 ** 2 : 1024;
  const inodes = options.has('i');
  const show = (bytes: number) => (human ? humanSize(bytes) : String(Math.ceil(bytes / unit)));
  const wanted: Volume[] = [];
  for (const name of options.rest) wanted.push((await call.sys.stat(name)).volume);
  const rows = volumes(call.machine)
    .filter(([, volume]) => wanted.length === 0 || wanted.includes(volume))
    .map(([path, volume]) => {
      const taken = volume.size - freeBytes(volume);
      const percent = `${Math.ceil((taken / volume.size) * 100)}%`;
      const type = options.has('T') ? [volume.type] : [];
      if (inodes) return [volume.device, ...type, '524288', '38211', '486077', '8%', path];
      return [volume.device, ...type, show(volume.size), show(taken), show(freeBytes(volume)), percent, path];
    });
  const heads = inodes
    ? ['Inodes', 'IUsed', 'IFree']
    : human
      ? ['Size', 'Used', 'Avail']
      : [
          options.has('P') ? '1024-blocks' : options.has('m') ? '1M-blocks' : '1K-blocks',
          'Used',
          'Available',
        ];
  const table = [
    [
      'Filesystem',
      ...(options.has('T') ? ['Type'] : []),
      ...heads,
      inodes ? 'IUse%' : options.has('P') ? 'Capacity' : 'Use%',
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

/** The disks of limited size, by mount point. */
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

export async function du(call: Call): Promise<number> {
  const options = parseOptions(call.args, '0abchksmxd:t:', {
    long: {
      threshold: 't',
      null: '0',
      summarize: 's',
      'human-readable': 'h',
      'max-depth': 'd',
      bytes: 'b',
      all: 'a',
    },
  });
  const depth = options.has('s') ? 0 : Number(options.value('d') ?? Number.POSITIVE_INFINITY);
  const show = (bytes: number) =>
    options.has('h')
      ? humanSize(bytes)
      : options.has('b')
        ? String(bytes)
        : String(Math.ceil(bytes / (options.has('m') ? 1024 ** 2 : 1024)));
  const least = parseBytes(options.value('t') ?? '0') ?? 0;
  const end = options.has('0') ? '\0' : '\n';
  const measure = async (name: string, level: number, volume?: Volume): Promise<number> => {
    const inode = await call.sys.stat(name, false);
    if (options.has('x') && volume !== undefined && inode.volume !== volume) return 0;
    let size = options.has('b') ? sizeOf(inode) : Math.ceil(sizeOf(inode) / BLOCK) * BLOCK;
    if (inode.kind === 'directory')
      for (const entry of await call.sys.list(name))
        size += await measure(`${name.replace(/\/$/, '')}/${toBytes(entry)}`, level + 1, inode.volume);
    if (size >= least && level <= depth && (inode.kind === 'directory' || level === 0 || options.has('a')))
      await call.printBytes(`${show(size)}\t${name}${end}`);
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
