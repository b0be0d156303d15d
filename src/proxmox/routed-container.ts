import type { ActivePrecondition } from '../remote/precondition.ts';
import type { Precondition } from '../remote/remote-types.ts';
import { Container } from './container.ts';
import type { LogPage, LogRequest } from './inspect/log-types.ts';
import type { Job, JobStart } from './jobs/job-types.ts';
import { type OwnerLookup, onOwner } from './owner.ts';
import type {
  ContainerHandle,
  ContainerStatus,
  DownloadOptions,
  EditOptions,
  EditResult,
  ExecOptions,
  ExecResult,
  LifeCycleResult,
  ReadOptions,
  ReadResult,
  TransferResult,
  UploadOptions,
} from './proxmox-types.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** What a container needs of its cluster. */
export interface ContainerRouter extends OwnerLookup {
  /** Does work on one node; on the entry node if `node` is null. @throws AppError */
  onNode<T>(
    node: string | null,
    precondition: ActivePrecondition | null,
    work: (deps: TransferDeps) => Promise<T>,
  ): Promise<T>;
  /** @param vmid a container that must be on the node where the call runs */
  activate(precondition: Precondition | null, vmid: number): ActivePrecondition | null;
  /** The status as read on the node of the container, or what the cluster knows if that node does not answer. */
  statusOf(vmid: number, signal: AbortSignal, read: () => Promise<ContainerStatus>): Promise<ContainerStatus>;
}

/** One container of the cluster, on any node. The node is looked up for each use. */
export class RoutedContainer implements ContainerHandle {
  readonly vmid: number;
  readonly label: string;
  readonly #router: ContainerRouter;
  readonly #precondition: ActivePrecondition | null;
  readonly #decidedNode: string | undefined;

  constructor(router: ContainerRouter, vmid: number, precondition: Precondition | null) {
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.#router = router;
    this.#precondition = router.activate(precondition, vmid);
    this.#decidedNode = precondition?.attributes?.node;
  }

  exec(command: string, options: ExecOptions): Promise<ExecResult> {
    return this.#route(options.signal, (container) => container.exec(command, options));
  }

  startJob(command: string, options: JobStart): Promise<Job> {
    return this.#route(options.signal, (container) => container.startJob(command, options));
  }

  upload(options: UploadOptions): Promise<TransferResult> {
    return this.#route(options.signal, (container) => container.upload(options));
  }

  download(options: DownloadOptions): Promise<TransferResult> {
    return this.#route(options.signal, (container) => container.download(options));
  }

  readFile(options: ReadOptions): Promise<ReadResult> {
    return this.#route(options.signal, (container) => container.readFile(options));
  }

  editFile(options: EditOptions): Promise<EditResult> {
    return this.#route(options.signal, (container) => container.editFile(options));
  }

  readLog(request: LogRequest): Promise<LogPage> {
    return this.#route(request.signal, (container) => container.readLog(request));
  }

  async status(signal: AbortSignal): Promise<ContainerStatus> {
    const read = () => this.#route(signal, (container) => container.status(signal));
    const status = await this.#router.statusOf(this.vmid, signal, read);
    return this.#precondition?.checked(status) ?? status;
  }

  start(signal: AbortSignal): Promise<LifeCycleResult> {
    return this.#route(signal, (container) => container.start(signal));
  }

  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult> {
    return this.#route(options.signal, (container) => container.stop(options));
  }

  #route<T>(signal: AbortSignal, work: (container: Container) => Promise<T>): Promise<T> {
    const { vmid } = this;
    const precondition = this.#precondition;
    const node = this.#decidedNode;
    const decided =
      node === undefined || precondition === null
        ? undefined
        : { node, moved: () => precondition.refused('changed') };
    return onOwner(this.#router, { vmid, signal, decided }, (owner) =>
      this.#router.onNode(owner, precondition, (deps) =>
        work(
          new Container(deps, vmid, (other, follow) =>
            this.#router.onNode(other, null, ({ shell }) => follow(shell)),
          ),
        ),
      ),
    );
  }
}
