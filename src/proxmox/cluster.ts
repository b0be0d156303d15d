import { InFlightCalls } from '../remote/in-flight.ts';
import { OwnLocationCache } from '../remote/own-location.ts';
import { ActivePrecondition } from '../remote/precondition.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import { type ChannelSource, type NodeLogger, RemoteShell } from '../remote/shell.ts';
import { Container } from './container.ts';
import { OrphanedOutput } from './exec/orphaned-output.ts';
import type { Cleaner } from './exec/output-buffer.ts';
import { Host } from './host.ts';
import { readInventory } from './inventory/inventory.ts';
import { InventoryCache } from './inventory/inventory-cache.ts';
import type {
  ClusterHandle,
  ContainerHandle,
  ContainerSummary,
  CopyOptions,
  CopyResult,
  ExecTarget,
} from './proxmox-types.ts';
import { digestOf } from './transfer/read-chunks.ts';
import type { ReservedPaths } from './transfer/reserved-files.ts';
import { TransferDirs } from './transfer/transfer-dirs.ts';
import { fileTooLarge } from './transfer/transfer-errors.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';

const REACH_LIMIT_MS = 10_000;

/** The part of the SSH pool that the cluster needs. */
export interface ClosableChannelSource extends ChannelSource {
  readonly connections: number;
  /** Another number after each reconnect; absent where it does not reconnect. */
  readonly generation?: number;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly sudo: boolean;
  /** Absolute paths. */
  readonly transferDirs: readonly string[];
  readonly reserved: ReservedPaths;
  /** Bytes. */
  readonly maxFileSize: number;
  readonly logger: NodeLogger;
  readonly redactor: Cleaner;
}

/** The cluster as seen from the node that the server is connected to. */
export class Cluster implements ClusterHandle {
  readonly #pool: ClosableChannelSource;
  readonly #deps: TransferDeps;
  readonly #inventory: InventoryCache;
  readonly #own: OwnLocationCache;

  constructor(pool: ClosableChannelSource, options: ClusterOptions) {
    this.#pool = pool;
    const shell = new RemoteShell(pool, { sudo: options.sudo, logger: options.logger });
    this.#inventory = new InventoryCache(shell);
    this.#own = new OwnLocationCache(shell, () => (pool.connections === 0 ? null : (pool.generation ?? 0)));
    this.#deps = {
      shell,
      precondition: null,
      orphaned: new OrphanedOutput(),
      inFlight: new InFlightCalls(),
      dirs: new TransferDirs(options.transferDirs, options.reserved),
      maxFileSize: options.maxFileSize,
      redactor: options.redactor,
    };
  }

  get connections(): number {
    return this.#pool.connections;
  }

  async reach(signal: AbortSignal): Promise<void> {
    await this.#deps.shell.touch({ timeoutMs: REACH_LIMIT_MS, signal });
  }

  async list(
    signal: AbortSignal,
    precondition: Precondition | null = null,
  ): Promise<readonly ContainerSummary[]> {
    const { shell } = this.#deps;
    const active = this.#with(precondition).precondition;
    const inventory = await readInventory(shell, signal, { precondition: active });
    this.#inventory.learn(inventory);
    return inventory.containers;
  }

  async ownContainers(signal: AbortSignal): Promise<ReadonlySet<number>> {
    return (await this.#own.get(signal)).vmids;
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
    return this.#inventory.attributes(vmid, signal, look);
  }

  container(vmid: number, precondition: Precondition | null = null): ContainerHandle {
    return new Container(this.#with(precondition), vmid);
  }

  host(precondition: Precondition | null = null): ExecTarget {
    return new Host(this.#with(precondition));
  }

  copy(options: CopyOptions): Promise<CopyResult> {
    const source = this.#with(options.source.precondition);
    const shared = options.source.precondition === options.target.precondition;
    const target = shared ? source : this.#with(options.target.precondition);
    return this.#deps.inFlight.track(async () => {
      const { copyFile } = await import('./files/copy-file.ts');
      return copyFile(source, target, options);
    });
  }

  #with(precondition: Precondition | null): TransferDeps {
    if (precondition === null) return this.#deps;
    const onChanged = () => {
      if (precondition.attributes !== null) this.#inventory.forget(precondition.attributes.vmid);
    };
    return { ...this.#deps, precondition: new ActivePrecondition(precondition, onChanged) };
  }

  /** Kills running commands, verifies it, and closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#deps.inFlight.end(withinMs);
    this.#deps.shell.close();
    await this.#pool.close();
  }
}
