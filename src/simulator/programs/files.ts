import { posix } from 'node:path';
import { FileError, freeBytes, type Inode, type Volume } from '../files/inode.ts';
import type { Machine, Program, ProgramCall } from '../shell/machine.ts';
import { grep } from './grep.ts';

/** Programs that just-bash lacks, or has without owners, devices and disks. */
export const filePrograms: readonly (readonly [string, Program])[] = [
  ['grep', grep],
  ['ls', ls],
  ['tail', tail],
  ['stat', stat],
  ['chown', (call) => onEach(call, (inode) => setOwner(call, inode))],
  ['chgrp', (call) => onEach(call, (inode) => setOwner(call, inode, true))],
  ['mkfifo', (call) => make(call, 'fifo')],
  ['mknod', (call) => make({ ...call, args: call.args.slice(0, 1) }, 'device')],
  ['mktemp', mktemp],
  ['df', df],
  ['sync', () => 0],
];

/** `tail -f` goes on until it is ended; whatever the file gets meanwhile is written. */
async function tail(call: ProgramCall): Promise<number> {
  const { args, machine, cwd, stdout, stderr } = call;
  const follows = args.some((arg) => /^-[a-zA-Z]*[fF]|^--follow/.test(arg));
  const plain = args.map((arg) => arg.replace(/^(-[a-zA-Z]*)[fF]/, '$1'));
  const rest = plain.filter((arg) => arg !== '-' && arg !== '--follow');
  const result = await call.original(rest);
  await stdout.write(result.stdout);
  await stderr.write(result.stderr);
  const path = posix.resolve(cwd, rest.at(-1) ?? '');
  if (!follows || result.exitCode !== 0) return result.exitCode;
  return call.child(['tail', ...args], async (signal) => {
    let size = machine.files.read(path).length;
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const content = machine.files.exists(path) ? machine.files.read(path) : Buffer.alloc(0);
      if (content.length > size && !(await stdout.write(content.subarray(size)))) return 141;
      size = content.length;
    }
    return 143;
  });
}

async function ls(call: ProgramCall): Promise<number> {
  const result = await call.original(call.args);
  const long = call.args.some((arg) => /^-[a-zA-Z]*l/.test(arg));
  const text = long ? result.stdout.replaceAll(/^(\S{10}\s+\d+) user user/gm, '$1 root root') : result.stdout;
  const bare = long ? text.replaceAll(/^(d.*)\/$/gm, '$1') : text;
  // Files that are named one by one would be parted by blank lines.
  const named = /:$/m.test(bare) ? bare : bare.replaceAll(/\n\n+/g, '\n');
  await call.stdout.write(named);
  await call.stderr.write(result.stderr);
  return result.exitCode;
}

async function stat(call: ProgramCall): Promise<number> {
  const { args, machine, stdout, stderr, cwd } = call;
  const at = args.findIndex((arg) => arg === '-c' || arg === '--format');
  const format = at >= 0 ? args[at + 1] : args.map((arg) => /^--format=(.*)$/.exec(arg)?.[1]).find(Boolean);
  if (format === undefined) {
    const result = await call.original(args);
    await stdout.write(result.stdout);
    await stderr.write(result.stderr);
    return result.exitCode;
  }
  const follow = args.includes('-L');
  let code = 0;
  for (const name of args.filter((arg, index) => !arg.startsWith('-') && index !== at + 1)) {
    const inode = machine.files.find(posix.resolve(cwd, name), follow);
    if (inode) await stdout.write(`${formatted(format, inode, name)}\n`);
    else {
      code = 1;
      await stderr.write(`stat: cannot statx '${name}': No such file or directory\n`);
    }
  }
  return code;
}

function formatted(format: string, inode: Inode, name: string): string {
  const values: Record<string, string> = {
    a: (inode.mode & 0o7777).toString(8),
    u: String(inode.uid),
    g: String(inode.gid),
    U: inode.uid === 0 ? 'root' : String(inode.uid),
    G: inode.gid === 0 ? 'root' : String(inode.gid),
    s: String(sizeOf(inode)),
    n: name,
    h: inode.kind === 'file' ? String(inode.links) : '1',
    i: String(inode.ino),
    Y: String(Math.floor(inode.mtime.getTime() / 1000)),
    F: inode.kind === 'file' ? 'regular file' : inode.kind,
  };
  return format.replaceAll(/%([a-zA-Z])/g, (whole, letter: string) => values[letter] ?? whole);
}

function sizeOf(inode: Inode): number {
  return inode.kind === 'file' ? inode.content.length : 0;
}

async function onEach(call: ProgramCall, change: (inode: Inode) => void): Promise<number> {
  const [, ...names] = call.args.filter((arg) => !/^-/.test(arg));
  for (const name of names) {
    try {
      change(call.machine.files.get(posix.resolve(call.cwd, name)));
    } catch (error) {
      const text =
        error instanceof FileError ? error.text : String(error instanceof Error ? error.message : error);
      await call.stderr.write(`chown: ${name}: ${text}\n`);
      return 1;
    }
  }
  return 0;
}

function setOwner({ machine, args }: ProgramCall, inode: Inode, groupOnly = false): void {
  const [spec = ''] = args.filter((arg) => !arg.startsWith('-'));
  const [user, group] = groupOnly ? ['', spec] : spec.split(':');
  if (user) inode.uid = idOf(machine, 'passwd', user);
  if (group) inode.gid = idOf(machine, 'group', group);
}

/** The number of a user or group. @throws Error as chown words it */
export function idOf({ files }: Pick<Machine, 'files'>, list: 'passwd' | 'group', name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = files.exists(`/etc/${list}`) ? files.readText(`/etc/${list}`).split('\n') : [];
  const line = lines.find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`invalid ${list === 'passwd' ? 'user' : 'group'}: '${name}'`);
  return Number(line.split(':')[2]);
}

async function make({ machine, args, cwd, stderr }: ProgramCall, kind: 'fifo' | 'device'): Promise<number> {
  for (const name of args) {
    try {
      machine.files.makeSpecial(posix.resolve(cwd, name), kind);
    } catch (error) {
      await stderr.write(
        `mkfifo: cannot create fifo '${name}': ${error instanceof FileError ? error.text : ''}\n`,
      );
      return 1;
    }
  }
  return 0;
}

async function mktemp({ machine, args, stdout }: ProgramCall): Promise<number> {
  const path = `/tmp/tmp.${Math.random().toString(36).slice(2, 12)}`;
  if (args.includes('-d')) machine.files.makeDirectory(path, 0o700);
  else machine.files.createFile(path, 0o600);
  await stdout.write(`${path}\n`);
  return 0;
}

async function df({ machine, args, cwd, stdout }: ProgramCall): Promise<number> {
  const human = args.some((arg) => /^-[a-zA-Z]*h/.test(arg));
  const show = (bytes: number) => (human ? humanSize(bytes) : String(Math.ceil(bytes / 1024)));
  const wanted = args
    .filter((arg) => !arg.startsWith('-'))
    .map((arg) => machine.files.find(posix.resolve(cwd, arg))?.volume);
  const rows = volumes(machine)
    .filter(([, volume]) => wanted.length === 0 || wanted.includes(volume))
    .map(([path, volume]) => {
      const taken = volume.size - freeBytes(volume);
      const percent = `${Math.ceil((taken / volume.size) * 100)}%`;
      return [volume.device, show(volume.size), show(taken), show(freeBytes(volume)), percent, path];
    });
  const head = human ? ['Size', 'Used', 'Avail'] : ['1K-blocks', 'Used', 'Available'];
  const table = [['Filesystem', ...head, 'Use%', 'Mounted on'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  for (const [device = '', ...cells] of table) {
    const path = cells.pop() ?? '';
    const numbers = cells.map((cell, index) => cell.padStart(widths[index + 1] ?? 0)).join('  ');
    await stdout.write(`${device.padEnd(widths[0] ?? 0)}  ${numbers}  ${path}\n`);
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
