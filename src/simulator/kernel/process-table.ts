import { type Birth, Process } from './process.ts';
import { WaitQueue } from './wait-queue.ts';

/** All processes of one node, including those of its containers. */
export class ProcessTable {
  /** Woken when a stopped or frozen process may continue. */
  readonly resumed = new WaitQueue();
  readonly #processes = new Map<number, Process>();
  readonly #frozen = new Set<number>();
  /** The first process of each container, by VMID. */
  readonly #inits = new Map<number | null, Process>();
  #lastPid = 1000;

  spawn(birth: Birth): Process {
    this.#lastPid += 1 + Math.floor(Math.random() * 3);
    const process = new Process(this, this.#lastPid, birth);
    this.#processes.set(process.pid, process);
    return process;
  }

  /** Starts the process that adopts orphans of the machine. */
  spawnInit(birth: Birth): Process {
    const process = this.spawn(birth);
    this.#inits.set(process.vmid, process);
    return process;
  }

  get(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  /** @param vmid only processes of this container; null: only those of the node; undefined: all */
  list(vmid?: number | null): Process[] {
    return [...this.#processes.values()].filter((each) => vmid === undefined || each.vmid === vmid);
  }

  remove(process: Process): void {
    this.#processes.delete(process.pid);
    for (const each of this.#processes.values()) {
      if (each.parentPid === process.pid) each.parentPid = this.initOf(each.vmid);
    }
  }

  /** Freezes all processes of a container. Signals, including KILL, wait until the thaw (as with cgroup v1). */
  freeze(vmid: number): void {
    this.#frozen.add(vmid);
  }

  thaw(vmid: number): void {
    this.#frozen.delete(vmid);
    // A process with a pending KILL dies before its next instruction.
    for (const process of this.list(vmid)) process.deliverPending();
    this.resumed.wake();
  }

  isFrozen(vmid: number | null): boolean {
    return vmid !== null && this.#frozen.has(vmid);
  }

  initOf(vmid: number | null): number {
    return this.#inits.get(vmid)?.pid ?? 1;
  }
}
