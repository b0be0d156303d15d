import { needsSudo } from '../../remote/needs-sudo.ts';
import { OwnLocationCache } from '../../remote/own-location.ts';
import { type ChannelSource, type NodeLogger, RemoteShell } from '../../remote/remote-shell.ts';
import type { SshTarget } from '../../ssh/ssh-types.ts';
import { withNodeName } from './node-unavailable.ts';

/** The part of the SSH pool that a link needs. */
export interface ClosableChannelSource extends ChannelSource {
  readonly connections: number;
  /** A number that changes with each reconnect; absent if the source does not reconnect. */
  readonly generation?: number;
  close(): Promise<void>;
}

export interface NodeLinkOptions {
  /** undefined: asks the node whether the user is root. */
  readonly sudo: boolean | undefined;
  readonly logger: NodeLogger;
}

/** The SSH connections to one node, and the shells that run on them. Connects at first use. */
export class NodeLink {
  readonly target: SshTarget;
  readonly shell: RemoteShell;
  /** Where this server runs, as this node sees it. */
  readonly own: OwnLocationCache;
  /** The name of the node in the cluster; null before it is known. */
  name: string | null;
  readonly #source: ClosableChannelSource;
  #active = 0;
  #retired = false;
  #lastUsed = performance.now();

  private constructor(
    name: string | null,
    target: SshTarget,
    source: ClosableChannelSource,
    options: { readonly sudo: boolean; readonly logger: NodeLogger },
  ) {
    this.name = name;
    this.target = target;
    this.#source = source;
    this.shell = new RemoteShell(source, options);
    this.own = new OwnLocationCache(this.shell, () =>
      source.connections === 0 ? null : (source.generation ?? 0),
    );
  }

  /** Connects only if the node must be asked whether the user is root. @throws AppError if that fails */
  static async open(
    name: string | null,
    target: SshTarget,
    source: ClosableChannelSource,
    { sudo, logger }: NodeLinkOptions,
  ): Promise<NodeLink> {
    try {
      const needed = sudo ?? (target.username !== 'root' && (await needsSudo(source, logger)));
      return new NodeLink(name, target, source, { sudo: needed, logger });
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#source.connections;
  }

  /** Time without use, in ms; 0 while something runs. */
  get idleMs(): number {
    return this.#active > 0 ? 0 : performance.now() - this.#lastUsed;
  }

  /** Does work on the node; the link is not closed as idle during it. @throws what `work` throws; DISCONNECTED names the node */
  async use<T>(work: (link: NodeLink) => Promise<T>): Promise<T> {
    this.#active += 1;
    try {
      return await work(this);
    } catch (error) {
      throw withNodeName(error, this.name);
    } finally {
      this.#active -= 1;
      this.#lastUsed = performance.now();
      if (this.#retired && this.#active === 0) void this.close();
    }
  }

  /** Closes the link as soon as nothing runs on it. */
  retire(): void {
    this.#retired = true;
    if (this.#active === 0) void this.close();
  }

  async close(): Promise<void> {
    this.shell.close();
    await this.#source.close();
  }
}
