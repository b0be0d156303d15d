import { AppError } from '../lib/errors.ts';
import { firstOf } from '../lib/waits.ts';
import { InFlightCalls } from '../remote/in-flight.ts';
import { ActivePrecondition } from '../remote/precondition.ts';
import type { RemoteShell } from '../remote/remote-shell.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import { isNotConnected } from '../ssh/pool-errors.ts';
import { ClusterLinks, REACH_LIMIT_MS } from './cluster-links.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { copyOnNodes } from './copy-on-nodes.ts';
import { OrphanedOutput } from './exec/orphaned-output.ts';
import { Host } from './host.ts';
import type { Inspection, InspectRequest } from './inspect/inspect-types.ts';
import { findContainer } from './inventory/inventory.ts';
import { InventoryCache } from './inventory/inventory-cache.ts';
import { NODE_LIMIT_MS, RunStates, silent, withState } from './inventory/run-states.ts';
import { ClusterJobs } from './jobs/cluster-jobs.ts';
import type { JobsHandle } from './jobs/job-types.ts';
import type { ClosableChannelSource, NodeLink } from './nodes/node-link.ts';
import { onOwner } from './owner.ts';
import type {
  ClusterHandle,
  ContainerDetails,
  ContainerHandle,
  ContainerStatus,
  ContainerSummary,
  CopyOptions,
  CopyResult,
  ExecTarget,
} from './proxmox-types.ts';
import { type ContainerRouter, RoutedContainer } from './routed-container.ts';
import type { ClusterStatus } from './status/read-cluster-status.ts';
import { digestOf } from './transfer/read-chunks.ts';
import { TransferDirs } from './transfer/transfer-dirs.ts';
import { fileTooLarge } from './transfer/transfer-errors.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

export type { ClosableChannelSource };

/**
 * The cluster as seen through an entry node. The only place that chooses the node on which something runs: the owner of a
 * container, or the entry node.
 */
export class Cluster implements ClusterHandle, ContainerRouter {
  readonly #links: ClusterLinks;
  readonly #shared: Omit<TransferDeps, 'shell' | 'nodeName' | 'precondition' | 'jobs'>;
  readonly #inventory: InventoryCache;
  readonly #states: RunStates;
  readonly #jobs: ClusterJobs;
  readonly #refusal: ClusterOptions['refusal'];

  constructor(options: ClusterOptions) {
    this.#links = new ClusterLinks(options);
    this.#states = new RunStates(this.#links.nodes);
    this.#refusal = options.refusal;
    this.#jobs = new ClusterJobs({
      redactor: options.redactor,
      onEnd: options.onJobEnd,
      on: (node, work) => this.#links.on(node, ({ shell }) => work(shell)),
      nodes: (signal) => this.#links.names(signal),
    });
    this.#inventory = new InventoryCache((limitMs) => this.#links.read(NEVER, { limitMs }));
    this.#shared = {
      orphaned: new OrphanedOutput(),
      inFlight: new InFlightCalls(),
      dirs: new TransferDirs(options.transferDirs, options.reserved),
      maxFileSize: options.maxFileSize,
      redactor: options.redactor,
    };
  }

  get jobs(): JobsHandle {
    return this.#jobs;
  }

  get connections(): number {
    return this.#links.nodes.connections;
  }

  async reach(signal: AbortSignal): Promise<void> {
    await this.#links.entry.use(({ shell }) => shell.touch({ timeoutMs: REACH_LIMIT_MS, signal }));
  }

  status(signal: AbortSignal): Promise<ClusterStatus> {
    return this.#links.status(signal);
  }

  async list(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerSummary[]> {
    const inventory = await this.#links.read(signal, { precondition: this.activate(precondition) });
    this.#inventory.learn(inventory);
    return this.#states.complete(inventory, signal);
  }

  async listDetails(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerDetails[]> {
    const inventory = await this.#links.read(signal, {
      precondition: this.activate(precondition),
      details: true,
    });
    this.#inventory.learn(inventory);
    const { usage, details } = inventory;
    // Loaded at the first use, because few calls need it.
    const { addressesOn, parseContainerNetworks } = await import('./inventory/container-networks.ts');
    const live = new Map<string, ReturnType<typeof parseContainerNetworks>>();
    const containers = await this.#states.complete(inventory, signal, (node, tables) =>
      live.set(node, parseContainerNetworks(tables)),
    );
    return containers.map((container) => {
      const { vmid, node, status } = container;
      const { osType = null, addresses: configured = [], interfaces = [] } = details.get(vmid) ?? {};
      const found = status === 'running' ? live.get(node)?.get(vmid) : undefined;
      const addresses =
        found === undefined || found.length === 0 ? configured : addressesOn(found, interfaces);
      return { ...container, usage: usage.get(vmid) ?? null, osType, addresses };
    });
  }

  async isOwnContainer(vmid: number, signal: AbortSignal): Promise<boolean> {
    const location = await onOwner(this, { vmid, signal }, (node) =>
      this.#links.on(node, ({ own }) => own.get(signal)),
    );
    return location.vmids.has(vmid);
  }

  async localFile(localPath: string): Promise<FileDigest> {
    const { dirs, maxFileSize } = this.#shared;
    const source = await dirs.openSource(localPath);
    try {
      if (source.size > maxFileSize) throw fileTooLarge(source.size, maxFileSize);
      return { bytes: source.size, sha256: await digestOf(source, () => {}) };
    } finally {
      await source.handle.close().catch(() => {});
    }
  }

  async redeem(approvalId: string, node: string | null, signal: AbortSignal): Promise<void> {
    const precondition = this.activate({ ...NOTHING_REQUIRED, approvalId });
    const options = { timeoutMs: REACH_LIMIT_MS, signal, precondition };
    if (node === null) await this.#links.entry.use(({ shell }) => shell.touch(options));
    else await this.#links.nodes.use(node, ({ shell }) => shell.touch(options));
  }

  async entryName(signal: AbortSignal): Promise<string | null> {
    if (this.#links.entry.targets.length === 1) return null;
    if (this.#links.entryName == null) await this.#links.read(signal);
    return this.#links.entryName;
  }

  /** Whether each other node can be used. @throws AppError if no entry node can be read */
  probeNodes(signal: AbortSignal): ReturnType<ClusterLinks['probe']> {
    return this.#links.probe(signal);
  }

  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined> {
    return this.#inventory.attributes(vmid, signal, look);
  }

  async inspect(request: InspectRequest): Promise<Inspection> {
    // Loaded at the first use, because few calls need it.
    const { inspectOnNodes } = await import('./inspect/inspect-nodes.ts');
    return inspectOnNodes(this, request);
  }

  container(vmid: number, precondition: Precondition | null = null): ContainerHandle {
    return new RoutedContainer(this, vmid, precondition);
  }

  host(precondition: Precondition | null = null): ExecTarget {
    const active = this.activate(precondition);
    const node = precondition?.node;
    const on = <T>(work: (host: Host) => Promise<T>): Promise<T> => {
      const onHost = ({ shell, name }: NodeLink) => work(new Host(this.#deps(shell, active, name, name)));
      return node === undefined ? this.#links.entry.use(onHost) : this.#links.nodes.use(node, onHost);
    };
    return {
      label: 'the Proxmox host',
      exec: (command, options) => on((host) => host.exec(command, options)),
      startJob: (command, options) => on((host) => host.startJob(command, options)),
      upload: (options) => on((host) => host.upload(options)),
      download: (options) => on((host) => host.download(options)),
    };
  }

  copy(options: CopyOptions): Promise<CopyResult> {
    return this.#shared.inFlight.track(() => copyOnNodes(this, options));
  }

  get entryNode(): string | null {
    return this.#links.entryName;
  }

  async ownerOf(vmid: number, signal: AbortSignal, look?: 'again'): Promise<string | null> {
    return (await this.#inventory.attributes(vmid, signal, look))?.node ?? null;
  }

  onNode<T>(
    node: string | null,
    precondition: ActivePrecondition | null,
    work: (deps: TransferDeps) => Promise<T>,
  ): Promise<T> {
    return this.#links.on(node, ({ shell, name }) => work(this.#deps(shell, precondition, node, name)));
  }

  activate(precondition: Precondition | null, vmid: number | null = null): ActivePrecondition | null {
    if (precondition === null && vmid === null) return null;
    const onRefused = (why: string) => {
      const error = this.#refusal?.(why);
      const id = precondition?.attributes?.vmid ?? vmid;
      if (error === undefined && id !== null) this.#inventory.forget(id);
      return error;
    };
    return new ActivePrecondition(precondition ?? NOTHING_REQUIRED, onRefused, vmid);
  }

  async statusOf(
    vmid: number,
    signal: AbortSignal,
    read: () => Promise<ContainerStatus>,
  ): Promise<ContainerStatus> {
    const owner = await this.ownerOf(vmid, signal);
    if (owner === null || owner === this.#links.entryName) return this.#local(await read());
    const answer = await firstOf(read(), NODE_LIMIT_MS, signal).catch((error: unknown) => {
      if (isNotConnected(error)) return error;
      throw error;
    });
    if (typeof answer !== 'string' && !(answer instanceof AppError)) return this.#local(answer);
    const known = findContainer(await this.#links.read(signal), vmid);
    return withState(known, answer instanceof AppError ? answer : silent(owner, NODE_LIMIT_MS));
  }

  /** Kills running commands, verifies it, and closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#shared.inFlight.end(withinMs);
    await this.#links.close();
  }

  /** A status that was read on the node of the container, where every container is local. */
  #local(status: ContainerStatus): ContainerStatus {
    return { ...status, local: status.node === this.#links.entryName };
  }

  /** @param node its name; null for the entry node. @param nodeName its name, if it is known */
  #deps(
    shell: RemoteShell,
    precondition: ActivePrecondition | null,
    node: string | null,
    nodeName: string | null,
  ): TransferDeps {
    return { ...this.#shared, shell, nodeName, precondition, jobs: this.#jobs.startedOn(node) };
  }
}

const NOTHING_REQUIRED: Precondition = { attributes: null, approvalId: null, source: null, lockdown: null };
const NEVER = new AbortController().signal;
