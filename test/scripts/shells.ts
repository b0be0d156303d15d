import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Disk, Feature, Machine, Program, StartOptions } from './machine.ts';
import { realFiles } from './real-files.ts';
import { SpawnedProgram } from './spawned-program.ts';

/** Files outside of a test's own folder that scripts read or write: replaced by files below it. */
export const NODE_PATHS =
  /\/etc\/pve|\/run\/proxmox-mcp|\/run\/systemd\/system|\/run\/openrc|\/var\/lib\/apt\/lists|\/proc\/uptime|\/proc\/net\/unix|\/proc\/self\/cgroup|\/proc\/sys\/kernel\/hostname|(?<=cd )\/proc\b|(?<=\b(?:cg|f)=)\/sys\/fs\/cgroup|(?<=proc=)\/proc\b/g;
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const FEATURES = [
  'awkAndGzip',
  'isolated',
  'linux',
  'disks',
  'fifos',
  'processGroups',
  'fileSizeLimit',
] as const;
const NSENTER = '/usr/bin/nsenter';
const SHELLS = [
  { name: 'dash', argv: ['dash'] },
  { name: 'bash', argv: ['bash', '--posix'] },
  { name: 'busybox', argv: ['busybox', 'sh'] },
] as const;

export type ShellName = (typeof SHELLS)[number]['name'];

/** Why the cases cannot run under this shell on this machine, or undefined. */
export function missing(name: ShellName): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  const { argv } = find(name);
  return spawnSync(argv[0], ['-c', ':']).error === undefined ? undefined : `${argv[0]} is not installed`;
}

/** A shell of this machine with GNU's programs, or busybox with only its own. @throws Error if it is not installed */
export function openShell(name: ShellName): Machine {
  return new RealShell(name, find(name).argv);
}

function find(name: ShellName) {
  const shell = SHELLS.find((each) => each.name === name);
  if (shell === undefined) throw new Error(`unknown shell ${name}`);
  return shell;
}

class RealShell implements Machine {
  readonly name: string;
  readonly files = realFiles;
  readonly features: ReadonlySet<Feature>;
  readonly #shell: readonly string[];
  readonly #base = mkdtempSync(path.join(os.tmpdir(), 'scripts-'));
  readonly #node = path.join(this.#base, 'node');
  readonly #searchPath: string;
  #namespace: Namespace | undefined;

  constructor(name: string, argv: readonly string[]) {
    this.name = name;
    this.features = new Set([
      ...FEATURES,
      ...(name === 'busybox' ? [] : (['missingPrograms', 'ddBytes', 'attributes'] as const)),
    ]);
    const program = absolute(argv[0] ?? name);
    this.#shell = [program, ...argv.slice(1)];
    this.#searchPath = name === 'busybox' ? this.#applets(program) : SYSTEM_PATH;
  }

  start(script: string, args: readonly string[], options: StartOptions = {}): Program {
    const { slackNs, fileSizeLimitKiB } = options;
    const setup = [
      ...(slackNs === undefined ? [] : [`echo ${slackNs} >/proc/self/timerslack_ns`]),
      // The unit is 512 bytes in dash.
      ...(fileSizeLimitKiB === undefined ? [] : [`ulimit -f ${fileSizeLimitKiB * 2}`]),
      'exec "$@"',
    ];
    const moved = script.replaceAll(NODE_PATHS, (found) => this.#node + found);
    const argv = ['/bin/sh', '-c', setup.join(';'), 'sh', ...this.#shell, '-c', moved, 'sh', ...args];
    const [program = '', ...rest] = options.isolated === true ? this.#inNamespace(argv) : argv;
    const child = spawn(program, rest, {
      detached: true,
      env: { PATH: this.#path(options), HOME: this.#base, LANG: 'C.UTF-8', ...options.env },
    });
    return new SpawnedProgram(child);
  }

  folder(): Promise<string> {
    return mkdtemp(path.join(this.#base, 'case-'));
  }

  async disk({ sizeKiB, readOnly = false }: { sizeKiB: number; readOnly?: boolean }): Promise<Disk> {
    const inside = await this.folder();
    const flags = `size=${sizeKiB}k,${readOnly ? 'ro' : 'rw'}`;
    const [program = '', ...args] = this.#inNamespace(['mount', '-t', 'tmpfs', '-o', flags, 'none', inside]);
    execFileSync(program, args);
    return { inside, outside: `/proc/${this.#namespace?.pid}/root${inside}` };
  }

  nodePath(file: string): string {
    return this.#node + file;
  }

  ticksNow(): number {
    return Math.floor(100 * Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
  }

  async commandLines(): Promise<readonly string[]> {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    // The command line of a zombie is empty; nsenter is outside of the namespace and ends after the process that it started.
    return names
      .map((pid) => commandLine(pid).replaceAll('\0', ' ').trim())
      .filter((line) => line !== '' && !line.startsWith(NSENTER));
  }

  async reset(): Promise<void> {
    this.#namespace?.close();
    this.#namespace = undefined;
    await rm(this.#node, { recursive: true, force: true });
    await this.files.write(this.nodePath('/proc/uptime'), '1000.00 5.00\n');
  }

  async close(): Promise<void> {
    this.#namespace?.close();
    rmSync(this.#base, { recursive: true, force: true });
  }

  #path({ programs, onlyPrograms }: StartOptions): string {
    const system = onlyPrograms === undefined ? this.#searchPath : this.#links(onlyPrograms);
    return programs === undefined ? system : `${programs}:${system}`;
  }

  /** A folder of links to these programs. */
  #links(programs: readonly string[]): string {
    const folder = mkdtempSync(path.join(this.#base, 'programs-'));
    for (const name of programs) symlinkSync(absolute(name, this.#searchPath), path.join(folder, name));
    return folder;
  }

  #applets(busybox: string): string {
    const folder = path.join(this.#base, 'busybox');
    execFileSync('mkdir', [folder]);
    execFileSync(busybox, ['--install', '-s', folder]);
    return folder;
  }

  #inNamespace(argv: readonly string[]): readonly string[] {
    this.#namespace ??= new Namespace();
    return this.#namespace.enter(argv);
  }
}

/**
 * A PID and mount namespace: scripts see only the test's own processes, and a broken kill script harms nothing else. Its
 * processes are visible in the /proc of the machine. Users other than root also get a user namespace, in which they may read
 * the timer slack of other processes, as root may.
 */
class Namespace {
  readonly pid: number;
  readonly #user = process.getuid?.() === 0 ? [] : ['--user'];

  constructor() {
    // Its first process reaps orphans, and ends by itself if the test run is killed.
    const first = 'i=0; while [ $i -lt 3000 ]; do sleep 0.1; i=$((i+1)); done';
    const map = this.#user.length === 0 ? [] : ['--user', '--map-root-user'];
    const flags = [...map, '--pid', '--fork', '--mount-proc', '--kill-child'];
    const child = spawn('unshare', [...flags, 'sh', '-c', first], { stdio: 'ignore' });
    this.pid = waitForChild(child.pid ?? 0);
  }

  enter(argv: readonly string[]): readonly string[] {
    const user = this.#user.length === 0 ? [] : ['--user', '--preserve-credentials'];
    return [NSENTER, '-t', String(this.pid), ...user, '--pid', '--mount', '--', ...argv];
  }

  close(): void {
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has ended by itself, after a case that hung.
    }
  }
}

const memory = Buffer.alloc(256 * 1024);

/**
 * Empty if there is no such process. Cases that wait for a process read those of all processes many times a second: synchronous
 * reads into one buffer need a tenth of the time.
 */
function commandLine(pid: string): string {
  let file: number;
  try {
    file = openSync(`/proc/${pid}/cmdline`, 'r');
  } catch {
    return '';
  }
  try {
    let length = 0;
    for (let count = -1; count !== 0 && length < memory.length; length += count)
      count = readSync(file, memory, length, memory.length - length, null);
    return memory.toString('utf8', 0, length);
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}

/** The PID of the only child, once it has mounted its own /proc and started its program. */
function waitForChild(parent: number): number {
  for (let tries = 0; tries < 500; tries++) {
    const [pid] = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
    if (pid !== undefined && pid !== '') {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sh\0')) return Number(pid);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  throw new Error('unshare started no process');
}

function absolute(program: string, searchPath = SYSTEM_PATH): string {
  const file = searchPath
    .split(':')
    .map((folder) => path.join(folder, program))
    .find((each) => existsSync(each));
  if (file === undefined) throw new Error(`${program} is not installed`);
  return file;
}
