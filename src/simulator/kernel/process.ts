import { posix } from 'node:path';
import { FileError } from '../files/inode.ts';
import type { Machine } from '../machine.ts';
import { fromBytes } from './bytes.ts';
import { now } from './clock.ts';
import { FdTable } from './open-file.ts';
import type { ProcessTable } from './process-table.ts';
import { type Signal, signalNumber } from './signals.ts';
import { isTurnOver, turn } from './turn.ts';
import { WaitQueue } from './wait-queue.ts';

/** Thrown in the program of a process that was killed, at its next operation. */
export class Killed extends Error {}

/** The properties that a new process inherits or changes. */
export interface Birth {
  /** undefined for processes that the kernel or sshd starts. */
  readonly parent: Process | undefined;
  readonly machine?: Machine;
  readonly argv?: readonly string[];
  readonly env?: ReadonlyMap<string, string>;
  readonly fds?: FdTable;
  readonly uid?: number;
  readonly cwd?: string;
  /** Starts a new session and process group. */
  readonly setsid?: boolean;
}

/** How a process ended. */
export interface ExitStatus {
  /** The exit code; 128 + n if signal n ended the process. */
  readonly code: number;
  readonly signal: Signal | undefined;
}

export type Wakeup = 'woken' | 'timeout' | 'interrupted';

const DEFAULT_SLACK_NS = 50_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A process of the node or of one of its containers. The node sees all of them. */
export class Process {
  readonly pid: number;
  machine: Machine;
  /** The name that the kernel stores, at most 15 bytes. */
  comm: string;
  /** Byte strings, like the environment. */
  argv: readonly string[];
  env: ReadonlyMap<string, string>;
  /** The path of the program. */
  exe: string;
  cwd: string;
  uid: number;
  umask: number;
  group: number;
  session: number;
  slackNs: number;
  /** Maximum size of a file that it writes, in bytes (ulimit -f). */
  fileSizeLimit: number;
  parentPid: number;
  readonly startedAt = new Date();
  readonly fds: FdTable;
  /** Ignored signals, which children inherit. */
  readonly ignored: Set<Signal>;
  /** Handles a signal; false for the default action. */
  onSignal: (signal: Signal) => boolean = () => false;
  /** TCP ports on which it listens. */
  ports: readonly number[] = [];
  /** Woken when the process ends. */
  readonly ended = new WaitQueue();
  status: ExitStatus | undefined;
  stopped = false;
  readonly #table: ProcessTable;
  readonly #pending: Signal[] = [];
  readonly #blocked = new Set<{ interruptible: boolean; finish: (how: Wakeup | 'killed') => void }>();

  constructor(table: ProcessTable, pid: number, birth: Birth) {
    const { parent } = birth;
    const machine = birth.machine ?? parent?.machine;
    if (!machine) throw new Error('a process needs a machine');
    this.#table = table;
    this.pid = pid;
    this.machine = machine;
    this.argv = birth.argv ?? parent?.argv ?? [];
    this.comm = parent?.comm ?? nameOf(this.argv);
    this.exe = parent?.exe ?? this.argv[0] ?? '';
    this.env = birth.env ?? parent?.env ?? new Map();
    this.cwd = birth.cwd ?? parent?.cwd ?? '/';
    this.uid = birth.uid ?? parent?.uid ?? 0;
    this.umask = parent?.umask ?? 0o022;
    this.parentPid = parent?.pid ?? table.initOf(machine.vmid);
    const leads = birth.setsid === true || parent === undefined;
    this.session = leads ? pid : parent.session;
    this.group = leads ? pid : parent.group;
    this.slackNs = parent?.slackNs ?? DEFAULT_SLACK_NS;
    this.fileSizeLimit = parent?.fileSizeLimit ?? Number.POSITIVE_INFINITY;
    this.ignored = new Set(parent?.ignored);
    this.fds = birth.fds ?? parent?.fds.clone() ?? new FdTable();
  }

  get vmid(): number | null {
    return this.machine.vmid;
  }

  get alive(): boolean {
    return this.status === undefined;
  }

  /** As in /proc/PID/cmdline, with spaces. */
  get cmdline(): string {
    return fromBytes(this.argv.join(' '));
  }

  /** As in /proc/PID/stat. */
  get state(): 'S' | 'T' | 'D' {
    return this.#table.isFrozen(this.vmid) ? 'D' : this.stopped ? 'T' : 'S';
  }

  /** Runs another program, as execve does: descriptors, directory, ignored signals and timer slack stay the same. */
  become(
    program: { readonly exe: string; readonly comm: string; readonly argv: readonly string[] },
    env: ReadonlyMap<string, string>,
  ): void {
    this.exe = program.exe;
    this.argv = program.argv;
    this.env = env;
    this.comm = program.comm.slice(0, 15);
    this.onSignal = () => false;
  }

  /** Sends a signal. In a frozen container it is delivered after the thaw. */
  signal(signal: Signal): void {
    if (!this.alive) return;
    if (this.#table.isFrozen(this.vmid)) {
      this.#pending.push(signal);
      return;
    }
    if (signal === 'CONT') {
      this.stopped = false;
      this.#table.resumed.wake();
      this.deliverPending();
      return;
    }
    if (signal === 'STOP' || signal === 'TSTP') {
      this.stopped = true;
      return;
    }
    if (signal === 'CHLD') return;
    if (signal !== 'KILL') {
      if (this.stopped) {
        this.#pending.push(signal);
        return;
      }
      if (this.ignored.has(signal)) return;
      if (this.onSignal(signal)) {
        for (const each of [...this.#blocked]) if (each.interruptible) each.finish('interrupted');
        return;
      }
    }
    this.#end({ code: 128 + signalNumber(signal), signal });
  }

  deliverPending(): void {
    for (const waiting of this.#pending.splice(0)) this.signal(waiting);
  }

  /** Ends the process. */
  end(code: number): void {
    if (this.alive) this.#end({ code: code & 255, signal: undefined });
  }

  /** Reports a write to a pipe without readers. @throws Killed, or FileError EPIPE if the signal is ignored or handled */
  brokenPipe(): never {
    this.signal('PIPE');
    if (!this.alive) throw new Killed();
    throw new FileError('EPIPE', 'write', 'pipe');
  }

  /** Reports a write beyond the file size limit. @throws Killed, or FileError EFBIG if the signal is ignored or handled */
  fileTooLarge(path: string): never {
    this.signal('XFSZ');
    if (!this.alive) throw new Killed();
    throw new FileError('EFBIG', 'write', path);
  }

  /** Whether `ready` would wait or throw. Checking this is cheaper than an unnecessary await. */
  get mustWait(): boolean {
    return !this.alive || this.#halted() || isTurnOver();
  }

  /** Resolves when the process is neither stopped nor frozen, and other tasks have had a turn. @throws Killed */
  async ready(): Promise<void> {
    if (!this.alive) throw new Killed();
    const pause = turn();
    if (pause) await pause;
    while (this.#halted()) await this.#block(this.#table.resumed, {});
    if (!this.alive) throw new Killed();
  }

  /** Waits until the queue is woken, or until the timeout. @throws Killed */
  async block(
    queue: WaitQueue | undefined,
    options: { timeoutMs?: number; interruptible?: boolean } = {},
  ): Promise<Wakeup> {
    const how = await this.#block(queue, options);
    if (this.#halted()) await this.ready();
    return how;
  }

  async sleep(ms: number): Promise<void> {
    const end = now() + ms;
    for (let rest = ms; rest > 0; rest = end - now())
      await this.block(undefined, { timeoutMs: Math.min(rest, LONGEST_TIMER_MS) });
  }

  /** Waits for the end of another process. @returns undefined if a handled signal arrives first */
  async waitFor(child: Process, interruptible = false): Promise<ExitStatus | undefined> {
    while (!child.status) {
      if ((await this.block(child.ended, { interruptible })) === 'interrupted') return undefined;
    }
    return child.status;
  }

  #halted(): boolean {
    return this.stopped || this.#table.isFrozen(this.vmid);
  }

  #block(
    queue: WaitQueue | undefined,
    { timeoutMs, interruptible = false }: { timeoutMs?: number; interruptible?: boolean },
  ): Promise<Wakeup> {
    if (!this.alive) return Promise.reject(new Killed());
    return new Promise((resolve, reject) => {
      const entry = {
        interruptible,
        finish: (how: Wakeup | 'killed') => {
          leave?.();
          clearTimeout(timer);
          this.#blocked.delete(entry);
          if (how === 'killed') reject(new Killed());
          else resolve(how);
        },
      };
      const leave = queue?.add(() => entry.finish('woken'));
      const timer =
        timeoutMs === undefined ? undefined : setTimeout(() => entry.finish('timeout'), timeoutMs);
      this.#blocked.add(entry);
    });
  }

  #end(status: ExitStatus): void {
    this.status = status;
    this.#table.remove(this);
    this.fds.closeAll();
    for (const each of [...this.#blocked]) each.finish('killed');
    this.ended.wake();
  }
}

function nameOf(argv: readonly string[]): string {
  return posix.basename(argv[0] ?? '').slice(0, 15);
}
