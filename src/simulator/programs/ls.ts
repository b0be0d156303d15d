import { FileError, type Inode } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { humanSize } from './disks.ts';
import { parseOptions } from './options.ts';
import type { Call } from './program.ts';

export function ownerName(machine: Machine, list: 'passwd' | 'group', id: number): string {
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

export function modeText(inode: Inode): string {
  const classes = [
    { shift: 6, special: 0o4000, letter: 's' },
    { shift: 3, special: 0o2000, letter: 's' },
    { shift: 0, special: 0o1000, letter: 't' },
  ];
  const bits = classes.map(({ shift, special, letter }) => {
    const digit = (inode.mode >> shift) & 7;
    const executes = (digit & 1) !== 0;
    const last =
      (inode.mode & special) === 0 ? (executes ? 'x' : '-') : executes ? letter : letter.toUpperCase();
    return `${digit & 4 ? 'r' : '-'}${digit & 2 ? 'w' : '-'}${last}`;
  });
  return LETTERS[inode.kind] + bits.join('');
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function timeText(time: Date): string {
  const [date = '', clock = ''] = time.toISOString().split('T');
  const [year = '', month, day] = date.split('-');
  const recent = Date.now() - time.getTime() < 180 * 86_400_000;
  return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${recent ? clock.slice(0, 5) : ` ${year}`}`;
}

export async function ls(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'aAlbh1dtrSRFincCZsgop', {
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
