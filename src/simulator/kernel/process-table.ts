import { type Birth, Process } from './process.ts';
import { WaitQueue } from './wait-queue.ts';

/** All processes of one node, those of its containers included. */
export class ProcessTable {
  /** Woken when something that was stopped or frozen may go on. */
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

  /** Starts the process that orphans of the machine are given to. */
  spawnInit(birth: Birth): Process {
    const process = this.spawn(birth);
    this.#inits.set(process.vmid, process);
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
      if (each.parentPid === process.pid) each.parentPid = this.initOf(each.vmid);
    }
  }

  /** Everything in the container stops; signals wait, those that kill included (as under cgroup v1). */
  freeze(vmid: number): void {
    this.#frozen.add(vmid);
  }

  thaw(vmid: number): void {
    this.#frozen.delete(vmid);
    // What was to die dies before its first instruction.
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
