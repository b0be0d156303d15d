import {
  type DirectoryInode,
  type Inode,
  makeDirectory,
  makeVolume,
  meta,
  type Volume,
} from '../files/inode.ts';
import type { VirtualFs } from '../files/virtual-fs.ts';
import { uptimeAt } from './clock.ts';
import type { OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import type { ProcessTable } from './process-table.ts';

const TICKS_PER_SECOND = 100;
const PROC = makeVolume({ device: 'proc', type: 'proc' });

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
    PROC,
  );
  for (const [name, inode] of proc.entries) entries.set(name, inode);
  // A separate file system for df and du.
  files.replaceDirectory('/proc', { ...proc, volume: PROC, entries });
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
  add('maps', () => '');
  directory.entries.set('net', networkDirectory(process, volume));
  const links: [string, () => string][] = [
    ['exe', () => process.exe],
    ['cwd', () => process.cwd],
  ];
  // The node enters the file system of a container by it. Evaluated when it is used: containers create their files late.
  directory.entries.set('root', {
    kind: 'link',
    target: '/',
    get leadsTo() {
      return process.machine.files.root;
    },
    ...meta(volume, 0o777),
  });
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
    if (!/^\d+$/.test(name)) return undefined;
    const port = this.#process.ports[Number(name) - FIRST_SOCKET];
    if (port !== undefined)
      return liveLink(this.#volume, () => `socket:[${socketInode(this.#process, port)}]`);
    const file = this.#process.fds.find(Number(name));
    return file && liveLink(this.#volume, () => nameOf(file));
  }

  override keys(): MapIterator<string> {
    const sockets = this.#process.ports.map((_, index) => FIRST_SOCKET + index);
    return [...this.#process.fds.numbers, ...sockets].map(String).values();
  }
}

const FIRST_SOCKET = 1000;

/** The path of an open file; the kernel marks a file that no longer has a name. */
function nameOf({ name, inode }: OpenFile): string {
  return inode?.kind === 'file' && inode.links === 0 ? `${name} (deleted)` : name;
}

function socketInode({ pid }: Process, port: number): number {
  return pid * 100_000 + port;
}

/** The tables of the network that the process sees: that of its container, with one interface. */
function networkDirectory(process: Process, volume: Volume): DirectoryInode {
  const directory = makeDirectory(volume, 0o555);
  const add = (name: string, generate: () => string) => {
    directory.entries.set(name, { kind: 'generated', generate, ...meta(volume, 0o444) });
  };
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const title =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  add('tcp', () => {
    const all = process.machine.table.list(process.vmid);
    const sockets = all.flatMap((each) =>
      each.ports.map((port) => ({ port, inode: socketInode(each, port) })),
    );
    const lines = sockets.map(
      ({ port, inode }, index) =>
        `${String(index).padStart(4)}: 00000000:${hex(port, 4)} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`,
    );
    return title + lines.join('');
  });
  for (const name of ['tcp6', 'udp', 'udp6']) add(name, () => title);
  const bytes = () => process.machine.address.split('.').map(Number);
  const network = () =>
    hex(
      [...bytes().slice(0, 3), 0].reduceRight((sum, part) => sum * 256 + part, 0),
      8,
    );
  add(
    'route',
    () =>
      `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t${network()}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`,
  );
  add('if_inet6', () => '00000000000000000000000000000001 01 80 10 80       lo\n');
  add('fib_trie', () =>
    ['127.0.0.1', process.machine.address]
      .map((address) => `           |-- ${address}\n              /32 host LOCAL\n`)
      .join(''),
  );
  return directory;
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

/** Whether it is the first process of a container. */
function isFirst(process: Process): boolean {
  return process.vmid !== null && process.machine.table.initOf(process.vmid) === process.pid;
}

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
    `NSpid:\t${[process.pid, ...(process.vmid === null ? [] : [isFirst(process) ? 1 : process.pid])].join('\t')}`,
    'RssAnon:\t    1200 kB',
    'Threads:\t1',
    '',
  ].join('\n');
}
