import { InFlightCalls } from '../remote/in-flight.ts';
import { ActivePrecondition } from '../remote/precondition.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import type { NodeLogger, RemoteShell } from '../remote/shell.ts';
import type { Routes } from '../ssh/route-choice.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { OrphanedOutput } from './exec/orphaned-output.ts';
import type { Cleaner } from './exec/output-buffer.ts';
import { Host } from './host.ts';
import { type Inventory, readInventory } from './inventory/inventory.ts';
import { InventoryCache } from './inventory/inventory-cache.ts';
import { EntryNodes } from './nodes/entry-nodes.ts';
import { type ClosableChannelSource, NodeLink } from './nodes/node-link.ts';
import type { NodeAddress } from './nodes/node-target.ts';
import { Nodes } from './nodes/nodes.ts';
import type { ClusterHandle, ContainerHandle, ContainerSummary, ExecTarget } from './proxmox-types.ts';
import { RoutedContainer } from './routed-container.ts';
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
}

/**
 * The cluster as seen through an entry node. The only place that chooses the node on which something runs: the owner of a
 * container, or the entry node.
 */
export class Cluster implements ClusterHandle {
  readonly #entry: EntryNodes;
  readonly #nodes: Nodes;
  readonly #shared: Omit<TransferDeps, 'shell' | 'precondition'>;
  readonly #inventory: InventoryCache;

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
    this.#inventory = new InventoryCache((limitMs) => this.#read(NEVER, { limitMs }));
    this.#shared = {
      orphaned: new OrphanedOutput(),
      inFlight: new InFlightCalls(),
      dirs: new TransferDirs(options.transferDirs, options.reserved),
      maxFileSize: options.maxFileSize,
      redactor: options.redactor,
    };
  }

  get connections(): number {
    return this.#nodes.connections;
  }

  async reach(signal: AbortSignal): Promise<void> {
    await this.#entry.use(({ shell }) => shell.touch({ timeoutMs: REACH_LIMIT_MS, signal }));
  }

  async list(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerSummary[]> {
    const inventory = await this.#read(signal, { precondition: this.#activate(precondition) });
    this.#inventory.learn(inventory);
    return inventory.containers;
  }

  async isOwnContainer(vmid: number, signal: AbortSignal): Promise<boolean> {
    const node = await this.ownerOf(vmid, signal);
    const { vmids } = await this.#on(node, ({ own }) => own.get(signal));
    return vmids.has(vmid);
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

  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined> {
    return this.#inventory.attributes(vmid, signal, look);
  }

  container(vmid: number, precondition: Precondition | null = null): ContainerHandle {
    return new RoutedContainer(this, vmid, precondition);
  }

  host(precondition: Precondition | null = null): ExecTarget {
    const active = this.#activate(precondition);
    const on = <T>(work: (host: Host) => Promise<T>): Promise<T> =>
      this.#entry.use(({ shell }) => work(new Host(this.#deps(shell, active))));
    return {
      label: 'the Proxmox host',
      exec: (command, options) => on((host) => host.exec(command, options)),
      upload: (options) => on((host) => host.upload(options)),
      download: (options) => on((host) => host.download(options)),
    };
  }

  /**
   * The node of a container, from the cache if possible. null: the entry node, because the cluster's files cannot be read.
   * @param look `again`: read from the cluster even if cached
   * @throws AppError CONTAINER_NOT_FOUND, NOT_A_CONTAINER, CANCELLED
   */
  async ownerOf(vmid: number, signal: AbortSignal, look?: 'again'): Promise<string | null> {
    return (await this.#inventory.attributes(vmid, signal, look))?.node ?? null;
  }

  /** Does work on one node; on the entry node if `node` is null. @throws AppError */
  onNode<T>(
    node: string | null,
    precondition: ActivePrecondition | null,
    work: (deps: TransferDeps) => Promise<T>,
  ): Promise<T> {
    return this.#on(node, ({ shell }) => work(this.#deps(shell, precondition)));
  }

  activate(precondition: Precondition | null): ActivePrecondition | null {
    return this.#activate(precondition);
  }

  /** Kills running commands, verifies it, and closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#shared.inFlight.end(withinMs);
    await Promise.all([this.#nodes.close(), this.#entry.close()]);
  }

  #on<T>(node: string | null, work: (link: NodeLink) => Promise<T>): Promise<T> {
    return node === null ? this.#entry.onCurrent(work) : this.#nodes.use(node, work);
  }

  /** Reads the inventory through an entry node, which learns its own name from it. */
  #read(
    signal: AbortSignal,
    options: { readonly limitMs?: number; readonly precondition?: ActivePrecondition | null },
  ): Promise<Inventory> {
    return this.#entry.read(async (link) => {
      const inventory = await readInventory(link.shell, signal, options);
      link.name = inventory.node;
      this.#nodes.learn(inventory.members);
      return inventory;
    });
  }

  #deps(shell: RemoteShell, precondition: ActivePrecondition | null): TransferDeps {
    return { ...this.#shared, shell, precondition };
  }

  #activate(precondition: Precondition | null): ActivePrecondition | null {
    if (precondition === null) return null;
    return new ActivePrecondition(precondition, () => {
      if (precondition.attributes !== null) this.#inventory.forget(precondition.attributes.vmid);
    });
  }
}

const NEVER = new AbortController().signal;
