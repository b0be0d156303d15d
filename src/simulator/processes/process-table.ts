import type { Signal } from './signals.ts';
import { signalNumber } from './signals.ts';

/** What a new process inherits, and what it changes. */
export interface Birth {
  readonly parent: Process | undefined;
  /** The name that the kernel keeps. */
  readonly comm: string;
  readonly argv: readonly string[];
  /** undefined: as the parent's. */
  readonly env?: ReadonlyMap<string, string>;
  /** In a session of its own. */
  readonly setsid?: boolean;
  /** The container it is in; null for the node itself, undefined for where the parent is. */
  readonly vmid?: number | null;
  readonly slackNs?: number;
  /** Takes a signal into its own hands. @returns false for what the default is to happen to */
  readonly onSignal?: (signal: Signal) => boolean;
  /** Called once with 128 + n when a signal has ended it. */
  readonly onDeath?: (code: number) => void;
}

const DEFAULT_SLACK_NS = 50_000;

/** A process of the node, those in containers included: the node sees all of them. */
export class Process {
  readonly pid: number;
  readonly vmid: number | null;
  comm: string;
  argv: readonly string[];
  env: ReadonlyMap<string, string>;
  readonly startedAt = new Date();
  session: number;
  slackNs: number;
  parentPid: number;
  stopped = false;
  alive = true;
  /** Signals that are ignored; inherited by children. */
  readonly ignored: Set<Signal>;
  /** Takes a signal into its own hands. Gives false for what the default is to happen to. */
  onSignal: (signal: Signal) => boolean;
  /** Called once with 128 + n when a signal has ended it. */
  onDeath: (code: number) => void;
  readonly #table: ProcessTable;
  readonly #pending: Signal[] = [];

  constructor(table: ProcessTable, pid: number, birth: Birth) {
    const { parent } = birth;
    this.#table = table;
    this.onSignal = birth.onSignal ?? (() => false);
    this.onDeath = birth.onDeath ?? (() => {});
    this.pid = pid;
    this.comm = birth.comm.slice(0, 15);
    this.argv = birth.argv;
    this.parentPid = parent?.pid ?? 1;
    this.vmid = birth.vmid === undefined ? (parent?.vmid ?? null) : birth.vmid;
    this.env = birth.env ?? parent?.env ?? new Map();
    this.session = birth.setsid === true || parent === undefined ? pid : parent.session;
    this.slackNs = birth.slackNs ?? parent?.slackNs ?? DEFAULT_SLACK_NS;
    this.ignored = new Set(parent?.ignored);
  }

  /** As in /proc/PID/cmdline, with blanks. */
  get cmdline(): string {
    return this.argv.join(' ');
  }

  /** As in /proc/PID/stat. */
  get state(): 'S' | 'T' | 'D' {
    return this.#table.isFrozen(this.vmid) ? 'D' : this.stopped ? 'T' : 'S';
  }

  /** Sends a signal. In a frozen container it waits for the thaw. */
  signal(signal: Signal): void {
    if (!this.alive) return;
    if (this.#table.isFrozen(this.vmid)) {
      this.#pending.push(signal);
      return;
    }
    if (signal === 'CONT') {
      this.stopped = false;
      for (const waiting of this.#pending.splice(0)) this.signal(waiting);
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
      if (this.ignored.has(signal) || this.onSignal(signal)) return;
    }
    this.end();
    this.onDeath(128 + signalNumber(signal));
  }

  thaw(): void {
    for (const waiting of this.#pending.splice(0)) this.signal(waiting);
  }

  /** It is over; its children become init's. */
  end(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#table.remove(this);
  }
}

/** All processes of one node. */
export class ProcessTable {
  readonly #processes = new Map<number, Process>();
  readonly #frozen = new Map<number, Set<() => void>>();
  #lastPid = 1000;

  spawn(birth: Birth): Process {
    this.#lastPid += 1 + Math.floor(Math.random() * 3);
    const process = new Process(this, this.#lastPid, birth);
    this.#processes.set(process.pid, process);
    return process;
  }

  get(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  /** @param vmid only those of this container; null for the node's own; undefined for all */
  list(vmid?: number | null): Process[] {
    return [...this.#processes.values()].filter((each) => vmid === undefined || each.vmid === vmid);
  }

  remove(process: Process): void {
    this.#processes.delete(process.pid);
    for (const each of this.#processes.values()) {
      if (each.parentPid === process.pid) each.parentPid = this.#initOf(each.vmid);
    }
  }

  /** Everything in the container stops; signals wait, those that kill included (as under cgroup v1). */
  freeze(vmid: number): void {
    if (!this.#frozen.has(vmid)) this.#frozen.set(vmid, new Set());
  }

  thaw(vmid: number): void {
    const waiting = this.#frozen.get(vmid);
    this.#frozen.delete(vmid);
    // What was to die dies before its first instruction.
    for (const process of this.list(vmid)) process.thaw();
    for (const wake of waiting ?? []) wake();
  }

  isFrozen(vmid: number | null): boolean {
    return vmid !== null && this.#frozen.has(vmid);
  }

  /** Resolves when the process's container is not frozen. */
  async unfrozen(vmid: number | null): Promise<void> {
    const waiting = vmid === null ? undefined : this.#frozen.get(vmid);
    if (waiting) await new Promise<void>((resolve) => waiting.add(resolve));
  }

  #initOf(vmid: number | null): number {
    if (vmid === null) return 1;
    for (const process of this.#processes.values()) {
      if (process.vmid === vmid && process.comm.match(/^(init|systemd)$/)) return process.pid;
    }
    return 1;
  }
}
