import type { AttachMethod, AttachTarget } from '../remote/command-line.ts';
import { worker } from './exec/exec.ts';
import { type Recover, RemoteExecTarget } from './exec-target.ts';
import { diagnoseContainer, isAttachDenied } from './inventory/diagnose.ts';
import { findContainer, readInventory } from './inventory/inventory.ts';
import { type Hold, startContainer, stopContainer } from './lifecycle/start-stop.ts';
import type { ContainerHandle, ContainerStatus, LifeCycleResult } from './proxmox-types.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** How containers of this node are entered; what `auto` has found out holds for all of them. */
export class AttachMethodSelector {
  #method: AttachMethod;
  readonly #auto: boolean;

  constructor(configured: 'auto' | AttachMethod) {
    this.#auto = configured === 'auto';
    this.#method = configured === 'auto' ? 'lxc-attach' : configured;
  }

  get method(): AttachMethod {
    return this.#method;
  }

  /** lxc-attach is closed to us: use pct from now on. @returns whether that is a change */
  fallBack(from: AttachMethod): boolean {
    if (!this.#auto || from === 'pct') return false;
    this.#method = 'pct';
    return true;
  }
}

/** One container of the node that we log in to. */
export class Container extends RemoteExecTarget implements ContainerHandle {
  readonly vmid: number;
  readonly label: string;
  readonly #choice: AttachMethodSelector;

  constructor(deps: TransferDeps, choice: AttachMethodSelector, vmid: number) {
    super(deps);
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.#choice = choice;
  }

  protected entry(): Extract<AttachTarget, { kind: 'container' }> {
    return {
      kind: 'container',
      vmid: this.vmid,
      method: this.#choice.method,
      sudo: this.deps.node.sudo,
    };
  }

  protected recover: Recover = async (entry, failure, signal) => {
    const used = entry.kind === 'container' ? entry.method : this.#choice.method;
    if (isAttachDenied(failure) && this.#choice.fallBack(used)) return this.entry();
    return diagnoseContainer(this.deps.node, { ...this.entry(), method: used }, failure, signal);
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
