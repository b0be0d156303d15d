import { AppError } from '../lib/errors.ts';
import type { AttachMethod } from '../remote/command-line.ts';
import { InFlightCalls } from '../remote/in-flight.ts';
import { PreconditionedChannels } from '../remote/precondition.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import { type ChannelSource, type NodeLogger, RemoteShell } from '../remote/shell.ts';
import { AttachMethodSelector, Container } from './container.ts';
import { worker } from './exec/exec.ts';
import { OrphanedOutput } from './exec/orphaned-output.ts';
import type { Cleaner } from './exec/output-buffer.ts';
import { Host } from './host.ts';
import { readInventory } from './inventory/inventory.ts';
import { InventoryCache } from './inventory/inventory-cache.ts';
import type { ClusterHandle, ContainerHandle, ContainerSummary, ExecTarget } from './proxmox-types.ts';
import { digestOf } from './transfer/read-chunks.ts';
import type { ReservedPaths } from './transfer/reserved-files.ts';
import { TransferDirs } from './transfer/transfer-dirs.ts';
import { fileTooLarge } from './transfer/transfer-errors.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

/** The pool as the cluster owns it. */
export interface ClosableChannelSource extends ChannelSource {
  readonly connections: number;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly sudo: boolean;
  readonly execMethod: 'auto' | AttachMethod;
  /** Absolute paths. */
  readonly transferDirs: readonly string[];
  readonly reserved: ReservedPaths;
  /** Bytes. */
  readonly maxFileSize: number;
  readonly logger: NodeLogger;
  readonly redactor: Cleaner;
}

/** The cluster as seen from the node that we log in to. */
export class Cluster implements ClusterHandle {
  readonly #pool: ClosableChannelSource;
  readonly #deps: TransferDeps;
  readonly #choice: AttachMethodSelector;
  readonly #guests: InventoryCache;

  constructor(pool: ClosableChannelSource, options: ClusterOptions) {
    this.#pool = pool;
    this.#choice = new AttachMethodSelector(options.execMethod);
    const node = new RemoteShell(pool, { sudo: options.sudo, logger: options.logger });
    this.#guests = new InventoryCache(node);
    this.#deps = {
      node,
      work: pool,
      guard: null,
      held: new OrphanedOutput(),
      activity: new InFlightCalls(),
      dirs: new TransferDirs(options.transferDirs, options.reserved),
      maxFileSize: options.maxFileSize,
      redactor: options.redactor,
    };
  }

  get connections(): number {
    return this.#pool.connections;
  }

  async reach(signal: AbortSignal): Promise<void> {
    // Without sudo, whose rules may not allow it.
    const { ended } = await this.#deps.node.run('true', { timeoutMs: 10_000, signal });
    if (ended === 'exit') return;
    const hint = 'Look at the node and the way to it: proxmox-mcp doctor.';
    throw new AppError('DISCONNECTED', 'The node does not answer.', hint);
  }

  async list(signal: AbortSignal, guard: Precondition | null = null): Promise<readonly ContainerSummary[]> {
    const inventory = await readInventory(worker(this.#under(guard)), signal);
    this.#guests.learn(inventory);
    return inventory.containers;
  }

  async localFile(localPath: string): Promise<FileDigest> {
    const source = await this.#deps.dirs.openSource(localPath);
    try {
      if (source.size > this.#deps.maxFileSize) throw fileTooLarge(source.size, this.#deps.maxFileSize);
      return { bytes: source.size, sha256: await digestOf(source, () => {}) };
    } finally {
      await source.handle.close().catch(() => {});
    }
  }

  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined> {
    return this.#guests.facts(vmid, signal, look);
  }

  container(vmid: number, guard: Precondition | null = null): ContainerHandle {
    return new Container(this.#under(guard), this.#choice, vmid);
  }

  host(guard: Precondition | null = null): ExecTarget {
    return new Host(this.#under(guard));
  }

  #under(guard: Precondition | null): TransferDeps {
    if (guard === null) return this.#deps;
    const onChanged = () => {
      if (guard.attributes !== null) this.#guests.forget(guard.attributes.vmid);
    };
    const work = new PreconditionedChannels(this.#pool, guard, { sudo: this.#deps.node.sudo, onChanged });
    return { ...this.#deps, work, guard: work };
  }

  /** Kills what runs, verifies it, closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#deps.activity.end(withinMs);
    await this.#pool.close();
  }
}
