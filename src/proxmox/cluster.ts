import { AppError } from '../lib/errors.ts';
import { Activity } from './activity.ts';
import type { Cleaner } from './capture.ts';
import type { EntryMethod } from './commands.ts';
import { Container, EntryChoice } from './container.ts';
import { digestOf } from './file-chunks.ts';
import { GuardedChannels } from './guard.ts';
import { GuestBook } from './guest-book.ts';
import { HeldChannels } from './held.ts';
import { Host } from './host.ts';
import { readInventory } from './inventory.ts';
import { TransferDirs } from './local-files.ts';
import { type ChannelSource, type NodeLogger, ProxmoxNode } from './node.ts';
import { worker } from './run.ts';
import type { TransferDeps } from './transfer.ts';
import { fileTooLarge } from './transfer-errors.ts';
import type {
  ClusterHandle,
  ContainerHandle,
  ContainerSummary,
  FileDigest,
  Guard,
  GuestFacts,
  Place,
} from './types.ts';

/** The pool as the cluster owns it. */
export interface ClosableChannelSource extends ChannelSource {
  readonly connections: number;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly sudo: boolean;
  readonly execMethod: 'auto' | EntryMethod;
  /** Absolute paths. */
  readonly transferDirs: readonly string[];
  /** Files and directories of our own, which no transfer touches; absolute paths. */
  readonly ownFiles: readonly string[];
  /** Bytes. */
  readonly maxFileSize: number;
  readonly logger: NodeLogger;
  readonly redactor: Cleaner;
}

/** The cluster as seen from the node that we log in to. */
export class Cluster implements ClusterHandle {
  readonly #pool: ClosableChannelSource;
  readonly #deps: TransferDeps;
  readonly #choice: EntryChoice;
  readonly #guests: GuestBook;

  constructor(pool: ClosableChannelSource, options: ClusterOptions) {
    this.#pool = pool;
    this.#choice = new EntryChoice(options.execMethod);
    const node = new ProxmoxNode(pool, { sudo: options.sudo, logger: options.logger });
    this.#guests = new GuestBook(node);
    this.#deps = {
      node,
      work: pool,
      guard: null,
      held: new HeldChannels(),
      activity: new Activity(),
      dirs: new TransferDirs(options.transferDirs, options.ownFiles),
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

  async list(signal: AbortSignal, guard: Guard | null = null): Promise<readonly ContainerSummary[]> {
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

  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<GuestFacts | undefined> {
    return this.#guests.facts(vmid, signal, look);
  }

  container(vmid: number, guard: Guard | null = null): ContainerHandle {
    return new Container(this.#under(guard), this.#choice, vmid);
  }

  host(guard: Guard | null = null): Place {
    return new Host(this.#under(guard));
  }

  #under(guard: Guard | null): TransferDeps {
    if (guard === null) return this.#deps;
    const onChanged = () => {
      if (guard.facts !== null) this.#guests.forget(guard.facts.vmid);
    };
    const work = new GuardedChannels(this.#pool, guard, { sudo: this.#deps.node.sudo, onChanged });
    return { ...this.#deps, work, guard: work };
  }

  /** Kills what runs, verifies it, closes the connections. */
  async close(withinMs: number): Promise<void> {
    await this.#deps.activity.end(withinMs);
    await this.#pool.close();
  }
}
