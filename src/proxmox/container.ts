import type { Entry, EntryMethod } from './commands.ts';
import { wayIsClosed, whyNotInContainer } from './diagnose.ts';
import { findContainer, readInventory } from './inventory.ts';
import { type Hold, startContainer, stopContainer } from './life-cycle.ts';
import { type Recover, RemotePlace } from './place.ts';
import { worker } from './run.ts';
import type { TransferDeps } from './transfer.ts';
import type { ContainerHandle, ContainerStatus, LifeCycleResult } from './types.ts';

/** How containers of this node are entered; what `auto` has found out holds for all of them. */
export class EntryChoice {
  #method: EntryMethod;
  readonly #auto: boolean;

  constructor(configured: 'auto' | EntryMethod) {
    this.#auto = configured === 'auto';
    this.#method = configured === 'auto' ? 'lxc-attach' : configured;
  }

  get method(): EntryMethod {
    return this.#method;
  }

  /** lxc-attach is closed to us: use pct from now on. @returns whether that is a change */
  fallBack(from: EntryMethod): boolean {
    if (!this.#auto || from === 'pct') return false;
    this.#method = 'pct';
    return true;
  }
}

/** One container of the node that we log in to. */
export class Container extends RemotePlace implements ContainerHandle {
  readonly vmid: number;
  readonly label: string;
  readonly #choice: EntryChoice;

  constructor(deps: TransferDeps, choice: EntryChoice, vmid: number) {
    super(deps);
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.#choice = choice;
  }

  protected entry(): Extract<Entry, { kind: 'container' }> {
    return {
      kind: 'container',
      vmid: this.vmid,
      method: this.#choice.method,
      sudo: this.deps.node.sudo,
    };
  }

  protected recover: Recover = async (entry, failure, signal) => {
    const used = entry.kind === 'container' ? entry.method : this.#choice.method;
    if (wayIsClosed(failure) && this.#choice.fallBack(used)) return this.entry();
    return whyNotInContainer(this.deps.node, { ...this.entry(), method: used }, failure, signal);
  };

  async status(signal: AbortSignal): Promise<ContainerStatus> {
    // What is read is checked below. The guard itself is only spared where it takes long, and never has a claim to make.
    const reader = this.deps.guard?.byPct === true ? this.deps.node : worker(this.deps);
    const inventory = await readInventory(reader, signal, { vmid: this.vmid });
    return this.#hold().checked(findContainer(inventory, this.vmid));
  }

  async start(signal: AbortSignal): Promise<LifeCycleResult> {
    return startContainer(this.deps.node, this.vmid, signal, this.#hold());
  }

  async stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult> {
    return stopContainer(this.deps.node, this.vmid, options, this.#hold());
  }

  #hold(): Hold {
    const { guard } = this.deps;
    const held = worker(this.deps);
    return {
      worker: held,
      checked: (status) => guard?.checked(status) ?? status,
      async spend() {
        // Without a claim there is nothing to use up, and what was read is checked already.
        if (guard?.claims === true) await held.ask(['true']);
      },
    };
  }
}
