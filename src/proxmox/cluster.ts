import { AppError } from '../lib/errors.ts';
import { InFlightCalls } from '../remote/in-flight.ts';
import { ActivePrecondition, bothPreconditions } from '../remote/precondition.ts';
import { firstOf, type NodeLogger, type RemoteShell } from '../remote/remote-shell.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import { isNotConnected } from '../ssh/pool-errors.ts';
import type { Routes } from '../ssh/route-choice.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { OrphanedOutput } from './exec/orphaned-output.ts';
import type { Cleaner } from './exec/output-buffer.ts';
import { Host } from './host.ts';
import type { Inspection, InspectRequest } from './inspect/inspect-types.ts';
import { findContainer, type Inventory, readInventory } from './inventory/inventory.ts';
import { InventoryCache } from './inventory/inventory-cache.ts';
import { NODE_LIMIT_MS, RunStates, silent, withState } from './inventory/run-states.ts';
import { ClusterJobs } from './jobs/cluster-jobs.ts';
import type { Job, JobsHandle } from './jobs/job-types.ts';
import { EntryNodes } from './nodes/entry-nodes.ts';
import { type ClosableChannelSource, NodeLink } from './nodes/node-link.ts';
import type { NodeAddress } from './nodes/node-target.ts';
import { Nodes } from './nodes/nodes.ts';
import { onOwner } from './owner.ts';
import type {
  ClusterHandle,
  ContainerDetails,
  ContainerHandle,
  ContainerStatus,
  ContainerSummary,
  CopyEnd,
  CopyOptions,
  CopyResult,
  ExecTarget,
} from './proxmox-types.ts';
import { type ContainerRouter, RoutedContainer } from './routed-container.ts';
import { type ClusterStatus, completeStatus, readEntryStatus } from './status/read-cluster-status.ts';
import { digestOf } from './transfer/read-chunks.ts';
import type { ReservedPaths } from './transfer/reserved-files.ts';
import { TransferDirs } from './transfer/transfer-dirs.ts';
import { fileTooLarge } from './transfer/transfer-errors.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

export type { ClosableChannelSource };

const REACH_LIMIT_MS = 10_000;

export interface ClusterOptions {
  /** The nodes in HOST, in order of preference; one at least. */
  readonly entries: readonly SshTarget[];
  /** Addresses of other nodes that replace those of the cluster. */
  readonly nodeAddresses?: ReadonlyMap<string, NodeAddress> | undefined;
  /** Makes the pool of connections to one node. Connects to nothing yet. */
  readonly connect: (routes: Routes) => ClosableChannelSource;
  /** undefined: each node is asked whether the user is root. */
  readonly sudo?: boolean | undefined;
  /** Absolute paths. */
  readonly transferDirs: readonly string[];
  readonly reserved: ReservedPaths;
  /** Bytes. */
  readonly maxFileSize: number;
  readonly logger: NodeLogger;
  readonly redactor: Cleaner;
  /** Logs the end of a job that this server is the first to see. If omitted, another server does. */
  readonly onJobEnd?: (job: Job) => Promise<void>;
}

/**
 * The cluster as seen through an entry node. The only place that chooses the node on which something runs: the owner of a
 * container, or the entry node.
 */
export class Cluster implements ClusterHandle, ContainerRouter {
  readonly #entry: EntryNodes;
  readonly #nodes: Nodes;
  readonly #shared: Omit<TransferDeps, 'shell' | 'nodeName' | 'precondition' | 'jobs'>;
  readonly #inventory: InventoryCache;
  readonly #states: RunStates;
  readonly #jobs: ClusterJobs;
  /** The last inventory that was read over each link. */
  readonly #last = new WeakMap<NodeLink, Inventory>();

  constructor(options: ClusterOptions) {
    const { entries, connect, sudo, logger } = options;
    const open = (name: string | null, routes: Routes) =>
      NodeLink.open(name, routes.direct, connect(routes), { sudo, logger });
    this.#entry = new EntryNodes(entries, (target) => open(null, { direct: target }), logger);
    this.#nodes = new Nodes(this.#entry, {
      addresses: options.nodeAddresses ?? new Map(),
      open,
      logger,
    });
    this.#states = new RunStates(this.#nodes);
    this.#jobs = new ClusterJobs({
      redactor: options.redactor,
      onEnd: options.onJobEnd,
      on: (node, work) => this.#on(node, ({ shell }) => work(shell)),
      nodes: (signal) => this.#nodeNames(signal),
    });
    this.#inventory = new InventoryCache((limitMs) => this.#read(NEVER, { limitMs }));
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
    return this.#nodes.connections;
  }

  async reach(signal: AbortSignal): Promise<void> {
    await this.#entry.use(({ shell }) => shell.touch({ timeoutMs: REACH_LIMIT_MS, signal }));
  }

  async status(signal: AbortSignal): Promise<ClusterStatus> {
    const known = await this.#entry.read(async (link) => {
      const found = await readEntryStatus(link.shell, signal);
      link.name = found.node;
      this.#nodes.learn(found.members);
      return found;
    });
    return completeStatus(known, this.#nodes, signal);
  }

  async list(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerSummary[]> {
    const inventory = await this.#read(signal, { precondition: this.activate(precondition) });
    this.#inventory.learn(inventory);
    return this.#states.complete(inventory, signal);
  }

  async listDetails(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerDetails[]> {
    const inventory = await this.#read(signal, { precondition: this.activate(precondition), details: true });
    this.#inventory.learn(inventory);
    const { usage, details } = inventory;
    const containers = await this.#states.complete(inventory, signal);
    return containers.map((container) => {
      const { osType = null, addresses = [] } = details.get(container.vmid) ?? {};
      return { ...container, usage: usage.get(container.vmid) ?? null, osType, addresses };
    });
  }

  async isOwnContainer(vmid: number, signal: AbortSignal): Promise<boolean> {
    const location = await onOwner(this, { vmid, signal }, (node) =>
      this.#on(node, ({ own }) => own.get(signal)),
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
    if (node === null) await this.#entry.use(({ shell }) => shell.touch(options));
    else await this.#nodes.use(node, ({ shell }) => shell.touch(options));
  }

  async entryName(signal: AbortSignal): Promise<string | null> {
    if (this.#entry.targets.length === 1) return null;
    if (this.#entry.current?.name == null) await this.#read(signal, {});
    return this.#entry.current?.name ?? null;
  }

  /** Whether each other node can be used. @throws AppError if no entry node can be read */
  async probeNodes(signal: AbortSignal): Promise<{
    readonly entry: string;
    readonly others: readonly { readonly node: string; readonly error: AppError | null }[];
  }> {
    const { node: entry, members } = await this.#read(signal, {});
    const names = [...members.keys()].filter((name) => name !== entry).sort();
    const others = await Promise.all(
      names.map(async (node) => {
        const touch = ({ shell }: NodeLink) => shell.touch({ timeoutMs: REACH_LIMIT_MS, signal });
        const error = await this.#nodes.use(node, touch).then(() => null, asAppError);
        return { node, error };
      }),
    );
    return { entry, others };
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
      return node === undefined ? this.#entry.use(onHost) : this.#nodes.use(node, onHost);
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
    const { source, target, signal } = options;
    const from = this.activate(source.precondition, source.vmid);
    const shared = source.vmid === target.vmid && source.precondition === target.precondition;
    const to = shared ? from : this.activate(target.precondition, target.vmid);
    const decided = [source, target].some(({ precondition }) => precondition?.attributes != null);
    const attempt = async () => {
      const { copyFile } = await import('./files/copy-between-targets.ts');
      const found = await Promise.all([target, source].map((side) => this.#nodeOf(side, signal)));
      // Its name may be known only now.
      const entry = this.#entry.current?.name ?? null;
      const [node = entry, other = entry] = found;
      if (node === other) {
        return this.onNode(node, to, (deps) => {
          const side = { ...deps, node: null };
          return copyFile({ ...side, precondition: from }, side, options);
        });
      }
      return this.onNode(other, from, (sourceDeps) =>
        this.onNode(node, to, (deps) => copyFile({ ...sourceDeps, node: other }, { ...deps, node }, options)),
      );
    };
    return this.#shared.inFlight.track(async () => {
      try {
        return await attempt();
      } catch (error) {
        // A container has moved, which each side notices before anything runs there.
        if (!(error instanceof AppError) || error.code !== 'CONTAINER_ON_OTHER_NODE') throw error;
        if (decided) throw bothPreconditions(from, to)?.refused('changed') ?? error;
        return attempt();
      }
    });
  }

  /** The node of one side of a copy: that of the decision or of the container; undefined for the entry node. */
  async #nodeOf({ vmid, precondition }: CopyEnd, signal: AbortSignal): Promise<string | undefined> {
    const decided = precondition?.attributes?.node ?? precondition?.node;
    return decided ?? (vmid === null ? undefined : ((await this.ownerOf(vmid, signal)) ?? undefined));
  }

  async ownerOf(vmid: number, signal: AbortSignal, look?: 'again'): Promise<string | null> {
    return (await this.#inventory.attributes(vmid, signal, look))?.node ?? null;
  }

  onNode<T>(
    node: string | null,
    precondition: ActivePrecondition | null,
    work: (deps: TransferDeps) => Promise<T>,
  ): Promise<T> {
    return this.#on(node, ({ shell, name }) => work(this.#deps(shell, precondition, node, name)));
  }

  activate(precondition: Precondition | null, vmid: number | null = null): ActivePrecondition | null {
    if (precondition === null && vmid === null) return null;
    const forget = () => {
      const id = precondition?.attributes?.vmid ?? vmid;
      if (id !== null) this.#inventory.forget(id);
    };
    return new ActivePrecondition(precondition ?? NOTHING_REQUIRED, forget, vmid);
  }

  async statusOf(
    vmid: number,
    signal: AbortSignal,
    read: () => Promise<ContainerStatus>,
  ): Promise<ContainerStatus> {
    const owner = await this.ownerOf(vmid, signal);
    if (owner === null || owner === this.#entry.current?.name) return this.#local(await read());
    const answer = await firstOf(read(), NODE_LIMIT_MS, signal).catch((error: unknown) => {
      if (isNotConnected(error)) return error;
      throw error;
    });
    if (typeof answer !== 'string' && !(answer instanceof AppError)) return this.#local(answer);
    const known = findContainer(await this.#read(signal, {}), vmid);
    return withState(known, answer instanceof AppError ? answer : silent(owner, NODE_LIMIT_MS));
  }

  /** Kills running commands, verifies it, and closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#shared.inFlight.end(withinMs);
    await Promise.all([this.#nodes.close(), this.#entry.close()]);
  }

  /** A status that was read on the node of the container, where every container is local. */
  #local(status: ContainerStatus): ContainerStatus {
    return { ...status, local: status.node === this.#entry.current?.name };
  }

  #on<T>(node: string | null, work: (link: NodeLink) => Promise<T>): Promise<T> {
    return node === null ? this.#entry.onCurrent(work) : this.#nodes.use(node, work);
  }

  /** Reads the inventory through an entry node, which learns its own name from it. */
  #read(
    signal: AbortSignal,
    options: {
      readonly limitMs?: number;
      readonly details?: boolean;
      readonly precondition?: ActivePrecondition | null;
    },
  ): Promise<Inventory> {
    return this.#entry.read(async (link) => {
      const inventory = await readInventory(link.shell, signal, { ...options, before: this.#last.get(link) });
      this.#last.set(link, inventory);
      link.name = inventory.node;
      this.#nodes.learn(inventory.members);
      return inventory;
    });
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

  /** The nodes that may have jobs, the entry node first. null stands for the entry node where it is the only one. */
  async #nodeNames(signal: AbortSignal): Promise<readonly (string | null)[]> {
    if (this.#nodes.members.size === 0) await this.#read(signal, {}).catch(() => {});
    const names = [...this.#nodes.members.keys()];
    if (names.length < 2) return [null];
    const entry = this.#entry.current?.name ?? null;
    return [entry, ...names.filter((name) => name !== entry)];
  }
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}

const NOTHING_REQUIRED: Precondition = { attributes: null, approvalId: null, source: null, lockdown: null };
const NEVER = new AbortController().signal;
