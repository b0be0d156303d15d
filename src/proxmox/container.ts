import type { AppError } from '../lib/errors.ts';
import type { AttachTarget } from '../remote/command-line.ts';
import type { CommandNotStarted } from '../remote/errors.ts';
import { RemoteExecTarget } from './exec-target.ts';
import { diagnoseContainer } from './inventory/diagnose.ts';
import { findContainer, readInventory } from './inventory/inventory.ts';
import { startContainer, stopContainer } from './lifecycle/start-stop.ts';
import type {
  ContainerHandle,
  ContainerStatus,
  EditOptions,
  EditResult,
  LifeCycleResult,
  ReadOptions,
  ReadResult,
} from './proxmox-types.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** One container of the node that the server is connected to. */
export class Container extends RemoteExecTarget implements ContainerHandle {
  readonly vmid: number;
  readonly label: string;
  protected readonly target: AttachTarget;

  constructor(deps: TransferDeps, vmid: number) {
    super(deps);
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.target = { kind: 'container', vmid };
  }

  protected diagnose(failure: CommandNotStarted, signal: AbortSignal): Promise<AppError> {
    return diagnoseContainer(this.deps.shell, this.vmid, failure, signal);
  }

  async status(signal: AbortSignal): Promise<ContainerStatus> {
    const { shell, precondition } = this.deps;
    const inventory = await readInventory(shell, signal, { vmid: this.vmid, precondition });
    const status = findContainer(inventory, this.vmid);
    return precondition?.checked(status) ?? status;
  }

  readFile(options: ReadOptions): Promise<ReadResult> {
    return this.track(options.signal, async () => {
      const { readFile } = await import('./files/read-file.ts');
      return readFile(this.deps, this.target, options);
    });
  }

  editFile(options: EditOptions): Promise<EditResult> {
    return this.track(options.signal, async () => {
      const { editFile } = await import('./files/edit-file.ts');
      return editFile(this.deps, this.target, options);
    });
  }

  start(signal: AbortSignal): Promise<LifeCycleResult> {
    const { shell, precondition } = this.deps;
    return startContainer({ shell, vmid: this.vmid, precondition, signal });
  }

  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult> {
    const { shell, precondition } = this.deps;
    return stopContainer({ shell, vmid: this.vmid, precondition, signal: options.signal }, options);
  }
}
