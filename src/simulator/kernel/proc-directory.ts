import { type DirectoryInode, type Inode, makeDirectory, meta, type Volume } from '../files/inode.ts';
import type { VirtualFs } from '../files/virtual-fs.ts';
import { uptimeAt } from './clock.ts';
import type { Process } from './process.ts';
import type { ProcessTable } from './process-table.ts';

const TICKS_PER_SECOND = 100;

/** Adds a directory to /proc for each process that the machine sees. The entries are generated when they are read. */
export function installProcesses(
  files: VirtualFs,
  machine: { readonly table: ProcessTable; readonly vmid: number | null },
): void {
  const { vmid } = machine;
  files.makeDirectories('/proc');
  const proc = files.directory('/proc');
  const visible = vmid === null ? undefined : vmid;
  const entries = new ProcEntries(
    () => machine.table.list(visible),
    (pid) => {
      const process = machine.table.get(pid);
      return process && (visible === undefined || process.vmid === visible) ? process : undefined;
    },
    proc.volume,
  );
  for (const [name, inode] of proc.entries) entries.set(name, inode);
  files.replaceDirectory('/proc', { ...proc, entries });
}

/** Fixed entries, and one directory per process. */
class ProcEntries extends Map<string, Inode> {
  readonly #all: () => readonly Process[];
  readonly #get: (pid: number) => Process | undefined;
  readonly #volume: Volume;

  constructor(all: () => readonly Process[], get: (pid: number) => Process | undefined, volume: Volume) {
    super();
    this.#all = all;
    this.#get = get;
    this.#volume = volume;
  }

  override get(name: string): Inode | undefined {
    if (!/^[1-9]\d*$/.test(name)) return super.get(name);
    const process = this.#get(Number(name));
    return process && processDirectory(process, this.#volume);
  }

  override keys(): MapIterator<string> {
    return [...super.keys(), ...this.#all().map(({ pid }) => String(pid))].values();
  }
}

const directories = new WeakMap<Process, DirectoryInode>();

function processDirectory(process: Process, volume: Volume): DirectoryInode {
  const known = directories.get(process);
  if (known) return known;
  const directory = makeDirectory(volume, 0o555);
  directories.set(process, directory);
  Object.assign(directory, { uid: process.uid, gid: process.uid });
  const add = (
    name: string,
    generate: () => string | Buffer,
    mode = 0o444,
    accept?: (bytes: string) => void,
  ) => {
    const inode: Inode = {
      kind: 'generated',
      generate,
      ...(accept ? { accept } : {}),
      ...meta(volume, mode),
    };
    Object.assign(inode, { uid: process.uid, gid: process.uid });
    directory.entries.set(name, inode);
  };
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  add('stat', () => bytes(statLine(process)));
  add('status', () => bytes(statusText(process)));
  add('comm', () => bytes(`${process.comm}\n`));
  add('cmdline', () => bytes(process.argv.map((arg) => `${arg}\0`).join('')));
  add('environ', () => bytes([...process.env].map(([name, value]) => `${name}=${value}\0`).join('')), 0o400);
  add(
    'timerslack_ns',
    () => `${process.slackNs}\n`,
    0o666,
    (text) => {
      const value = Number(text.trim());
      // Zero means the default.
      if (Number.isInteger(value) && value >= 0) process.slackNs = value === 0 ? 50_000 : value;
    },
  );
  add('loginuid', () => '4294967295');
  add(
    'oom_score_adj',
    () => '0\n',
    0o644,
    () => {},
  );
  add('cgroup', () => `0::${process.vmid === null ? '/' : `/lxc/${process.vmid}/ns`}\n`);
  const links: [string, () => string][] = [
    ['exe', () => process.exe],
    ['cwd', () => process.cwd],
    ['root', () => '/'],
  ];
  for (const [name, target] of links) directory.entries.set(name, liveLink(volume, target));
  const fds = makeDirectory(volume, 0o500);
  Object.assign(fds, { entries: new FdEntries(process, volume) });
  directory.entries.set('fd', fds);
  return directory;
}

function liveLink(volume: Volume, target: () => string): Inode {
  const inode = { kind: 'link' as const, target: '', ...meta(volume, 0o777) };
  return Object.defineProperty(inode, 'target', { get: target });
}

/** The open descriptors of a process, as symlinks. */
class FdEntries extends Map<string, Inode> {
  readonly #process: Process;
  readonly #volume: Volume;

  constructor(process: Process, volume: Volume) {
    super();
    this.#process = process;
    this.#volume = volume;
  }

  override get(name: string): Inode | undefined {
    const file = /^\d+$/.test(name) ? this.#process.fds.find(Number(name)) : undefined;
    return file && liveLink(this.#volume, () => file.name);
  }

  override keys(): MapIterator<string> {
    return this.#process.fds.numbers.map(String).values();
  }
}

/** The parent as seen in the PID namespace of the process: 0 for a parent outside the container. */
export function parentOf(process: Process): number {
  const parent = process.machine.table.get(process.parentPid);
  return parent && parent.vmid !== process.vmid ? 0 : process.parentPid;
}

/** A start time in clock ticks, as in /proc/PID/stat. */
export function startTicks(time: Date): number {
  return Math.floor(uptimeAt(time) * TICKS_PER_SECOND);
}

function statLine(process: Process): string {
  const started = startTicks(process.startedAt);
  const head = [process.state, process.parentPid, process.group, process.session, 0, -1, 4194304];
  const counters = [120, 0, 0, 0, 1, 0, 0, 0, 20, 0, 1, 0];
  const tail = [2_900_000, 400, '18446744073709551615', ...Array.from({ length: 27 }, () => 0)];
  return `${process.pid} (${process.comm}) ${[...head, ...counters, started, ...tail].join(' ')}\n`;
}

const STATES: Readonly<Record<string, string>> = { S: 'sleeping', T: 'stopped', D: 'disk sleep' };

function statusText(process: Process): string {
  const ids = [process.uid, process.uid, process.uid, process.uid].join('\t');
  return [
    `Name:\t${process.comm}`,
    `Umask:\t${process.umask.toString(8).padStart(4, '0')}`,
    `State:\t${process.state} (${STATES[process.state]})`,
    `Tgid:\t${process.pid}`,
    `Pid:\t${process.pid}`,
    `PPid:\t${process.parentPid}`,
    `Uid:\t${ids}`,
    `Gid:\t${ids}`,
    'Threads:\t1',
    '',
  ].join('\n');
}
