import type { AppError } from '../lib/errors.ts';
import type { CommandNotStarted } from '../remote/remote-errors.ts';
import type { AttachTarget } from '../remote/session-requests.ts';
import { RemoteExecTarget } from './exec-target.ts';
import type { LogPage, LogRequest } from './inspect/log-types.ts';
import { diagnoseContainer, onOtherNode } from './inventory/diagnose.ts';
import { findContainer, readInventory } from './inventory/inventory.ts';
import type { LifecycleCall } from './lifecycle/lifecycle-call.ts';
import { startContainer } from './lifecycle/start-and-wait.ts';
import { stopContainer } from './lifecycle/stop-and-wait.ts';
import type {
  ContainerStatus,
  EditOptions,
  EditResult,
  LifeCycleResult,
  ReadOptions,
  ReadResult,
} from './proxmox-types.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** One container on the node that owns it. */
export class Container extends RemoteExecTarget {
  readonly vmid: number;
  readonly label: string;
  protected readonly target: AttachTarget & { readonly kind: 'container' };
  readonly #elsewhere: LifecycleCall['elsewhere'];

  /** @param elsewhere does work on another node, to which HA moves the container */
  constructor(deps: TransferDeps, vmid: number, elsewhere: LifecycleCall['elsewhere']) {
    super(deps);
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.target = { kind: 'container', vmid };
    this.#elsewhere = elsewhere;
  }

  protected diagnose(failure: CommandNotStarted, signal: AbortSignal): Promise<AppError> {
    return diagnoseContainer(this.deps.shell, this.vmid, failure, signal);
  }

  readLog(request: LogRequest): Promise<LogPage> {
    return this.track(request.signal, async () => {
      // Loaded at the first use, because few calls need it.
      const { readLog } = await import('./inspect/read-log.ts');
      return readLog(this.deps, this.target, request);
    });
  }

  /** @throws AppError CONTAINER_ON_OTHER_NODE if it is not on this node */
  async status(signal: AbortSignal): Promise<ContainerStatus> {
    const { shell, precondition } = this.deps;
    const inventory = await readInventory(shell, signal, { vmid: this.vmid, precondition });
    const status = findContainer(inventory, this.vmid);
    if (!status.local) throw onOtherNode(status);
    return status;
  }

  readFile(options: ReadOptions): Promise<ReadResult> {
    return this.track(options.signal, async () => {
      const { readFile } = await import('./files/read-file-part.ts');
      return readFile(this.deps, this.target, options);
    });
  }

  editFile(options: EditOptions): Promise<EditResult> {
    return this.track(options.signal, async () => {
      const { editFile } = await import('./files/edit-in-place.ts');
      return editFile(this.deps, this.target, options);
    });
  }

  start(signal: AbortSignal): Promise<LifeCycleResult> {
    return startContainer(this.#call(signal));
  }

  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult> {
    return stopContainer(this.#call(options.signal), options);
  }

  #call(signal: AbortSignal): LifecycleCall {
    const { shell, precondition } = this.deps;
    return { shell, vmid: this.vmid, precondition, signal, elsewhere: this.#elsewhere };
  }
}
