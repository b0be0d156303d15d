import { AppError } from '../lib/errors.ts';
import type { ActivePrecondition } from '../remote/precondition.ts';
import type { Precondition } from '../remote/remote-types.ts';
import { isNotConnected } from '../ssh/pool-errors.ts';
import { Container } from './container.ts';
import type {
  ContainerHandle,
  ContainerStatus,
  DownloadOptions,
  ExecOptions,
  ExecResult,
  LifeCycleResult,
  TransferResult,
  UploadOptions,
} from './proxmox-types.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** Finds the node of a container and does work there. */
export interface ContainerRouter {
  /** See `Cluster`. null: the entry node. */
  ownerOf(vmid: number, signal: AbortSignal, look?: 'again'): Promise<string | null>;
  onNode<T>(
    node: string | null,
    precondition: ActivePrecondition | null,
    work: (deps: TransferDeps) => Promise<T>,
  ): Promise<T>;
  activate(precondition: Precondition | null): ActivePrecondition | null;
}

/** One container of the cluster, on any node. The node is looked up for each use. */
export class RoutedContainer implements ContainerHandle {
  readonly vmid: number;
  readonly label: string;
  readonly #router: ContainerRouter;
  readonly #precondition: ActivePrecondition | null;
  /** The node that the decision was made on. */
  readonly #decidedNode: string | undefined;

  constructor(router: ContainerRouter, vmid: number, precondition: Precondition | null) {
    this.vmid = vmid;
    this.label = `container ${vmid}`;
    this.#router = router;
    this.#precondition = router.activate(precondition);
    this.#decidedNode = precondition?.attributes?.node;
  }

  exec(command: string, options: ExecOptions): Promise<ExecResult> {
    return this.#route(options.signal, (container) => container.exec(command, options));
  }

  upload(options: UploadOptions): Promise<TransferResult> {
    return this.#route(options.signal, (container) => container.upload(options));
  }

  download(options: DownloadOptions): Promise<TransferResult> {
    return this.#route(options.signal, (container) => container.download(options));
  }

  status(signal: AbortSignal): Promise<ContainerStatus> {
    return this.#route(signal, (container) => container.status(signal));
  }

  start(signal: AbortSignal): Promise<LifeCycleResult> {
    return this.#route(signal, (container) => container.start(signal));
  }

  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult> {
    return this.#route(options.signal, (container) => container.stop(options));
  }

  /**
   * Does work on the node of the container. A container that has moved is detected before anything runs; the work is then done
   * on its new node, once.
   */
  async #route<T>(signal: AbortSignal, work: (container: Container) => Promise<T>): Promise<T> {
    const on = (node: string | null) =>
      this.#router.onNode(node, this.#precondition, (deps) => work(new Container(deps, this.vmid)));
    const node = this.#decidedNode ?? (await this.#router.ownerOf(this.vmid, signal));
    try {
      return await on(node);
    } catch (error) {
      if (!mayHaveMoved(error)) throw error;
      const now = await this.#router.ownerOf(this.vmid, signal, 'again').catch(() => node);
      if (now === null || now === node) throw error;
      // The decision applies to the old node, so the call is decided again.
      if (this.#decidedNode !== undefined) throw this.#precondition?.refused('changed') ?? error;
      return on(now);
    }
  }
}

/** Whether a failure of a call that has run nothing may be due to a migration. */
function mayHaveMoved(error: unknown): boolean {
  if (isNotConnected(error)) return true;
  return error instanceof AppError && ['CONTAINER_ON_OTHER_NODE', 'CONTAINER_NOT_FOUND'].includes(error.code);
}
