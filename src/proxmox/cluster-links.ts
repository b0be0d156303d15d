import { AppError } from '../lib/errors.ts';
import type { ActivePrecondition } from '../remote/precondition.ts';
import type { Routes } from '../ssh/route-choice.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { type Inventory, readInventory } from './inventory/inventory.ts';
import { EntryNodes } from './nodes/entry-nodes.ts';
import { NodeLink } from './nodes/node-link.ts';
import { Nodes } from './nodes/nodes.ts';
import { type ClusterStatus, completeStatus, readEntryStatus } from './status/read-cluster-status.ts';

export const REACH_LIMIT_MS = 10_000;

export interface InventoryOptions {
  readonly limitMs?: number;
  readonly details?: boolean;
  readonly precondition?: ActivePrecondition | null;
}

/** The connections to the nodes of the cluster, and what is read through an entry node. */
export class ClusterLinks {
  readonly entry: EntryNodes;
  readonly nodes: Nodes;
  /** The last inventory that was read over each link. */
  readonly #last = new WeakMap<NodeLink, Inventory>();

  constructor(options: Pick<ClusterOptions, 'entries' | 'nodeAddresses' | 'connect' | 'sudo' | 'logger'>) {
    const { entries, connect, sudo, logger } = options;
    const open = (name: string | null, routes: Routes) =>
      NodeLink.open(name, routes.direct, connect(routes), { sudo, logger });
    this.entry = new EntryNodes(entries, (target) => open(null, { direct: target }), logger);
    this.nodes = new Nodes(this.entry, {
      addresses: options.nodeAddresses ?? new Map(),
      open,
      logger,
    });
  }

  get entryName(): string | null {
    return this.entry.current?.name ?? null;
  }

  /** Does work on a node; on the entry node in use if `node` is null. @throws AppError */
  on<T>(node: string | null, work: (link: NodeLink) => Promise<T>): Promise<T> {
    return node === null ? this.entry.onCurrent(work) : this.nodes.use(node, work);
  }

  /** Reads the inventory through an entry node, which learns its own name from it. @throws AppError */
  read(signal: AbortSignal, options: InventoryOptions = {}): Promise<Inventory> {
    return this.entry.read(async (link) => {
      const inventory = await readInventory(link.shell, signal, { ...options, before: this.#last.get(link) });
      this.#last.set(link, inventory);
      link.name = inventory.node;
      this.nodes.learn(inventory.members);
      return inventory;
    });
  }

  async status(signal: AbortSignal): Promise<ClusterStatus> {
    const known = await this.entry.read(async (link) => {
      const found = await readEntryStatus(link.shell, signal);
      link.name = found.node;
      this.nodes.learn(found.members);
      return found;
    });
    return completeStatus(known, this.nodes, signal);
  }

  /** Whether each other node can be used. @throws AppError if no entry node can be read */
  async probe(signal: AbortSignal): Promise<{
    readonly entry: string;
    readonly others: readonly { readonly node: string; readonly error: AppError | null }[];
  }> {
    const { node: entry, members } = await this.read(signal);
    const names = [...members.keys()].filter((name) => name !== entry).sort();
    const others = await Promise.all(
      names.map(async (node) => {
        const touch = ({ shell }: NodeLink) => shell.touch({ timeoutMs: REACH_LIMIT_MS, signal });
        const error = await this.nodes.use(node, touch).then(() => null, asAppError);
        return { node, error };
      }),
    );
    return { entry, others };
  }

  /** The names of all nodes, the entry node first. null stands for the entry node where it is the only one. */
  async names(signal: AbortSignal): Promise<readonly (string | null)[]> {
    if (this.nodes.members.size === 0) await this.read(signal).catch(() => {});
    const names = [...this.nodes.members.keys()];
    if (names.length < 2) return [null];
    const entry = this.entryName;
    return [entry, ...names.filter((name) => name !== entry)];
  }

  async close(): Promise<void> {
    await Promise.all([this.nodes.close(), this.entry.close()]);
  }
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}
