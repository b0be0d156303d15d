import { AppError } from '../../lib/errors.ts';
import type { NodeLogger } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { isNotConnected, shuttingDown } from '../../ssh/pool-errors.ts';
import type { Routes } from '../../ssh/route-choice.ts';
import type { SshTarget } from '../../ssh/ssh-types.ts';
import type { Member } from '../inventory/parse-inventory.ts';
import type { EntryNodes } from './entry-nodes.ts';
import type { NodeLink } from './node-link.ts';
import { type NodeAddress, routesToNode } from './node-target.ts';
import { isOfAnotherNode, NodeUnavailable } from './node-unavailable.ts';

/** A link that has not been used for this long, in ms, is closed. */
const IDLE_MS = 300_000;
/** Limit of open links. Beyond it, idle links are closed, the least recently used first. */
const MAX_LINKS = 64;
/** Pause, in ms, before a node that cannot be used is tried again; doubled with each failure. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
const KEYS_LIMIT_MS = 5_000;

export interface NodesOptions {
  /** Addresses that replace those of the cluster. */
  readonly addresses: ReadonlyMap<string, NodeAddress>;
  /** Opens a link to a node. @throws AppError */
  open(name: string, routes: Routes): Promise<NodeLink>;
  readonly logger: NodeLogger;
  readonly idleMs?: number;
}

interface HostKeys {
  readonly keys: string;
  /** The entry node that they were read from. */
  readonly target: SshTarget;
}

interface Refusal {
  readonly error: AppError;
  readonly until: number;
  readonly pauseMs: number;
}

/** The nodes of the cluster by name. Links are opened on demand and closed when they are idle. */
export class Nodes {
  readonly #entry: EntryNodes;
  readonly #options: NodesOptions;
  readonly #links = new Map<string, Promise<NodeLink>>();
  readonly #refusals = new Map<string, Refusal>();
  #opened = new Set<NodeLink>();
  #members: ReadonlyMap<string, Member> = new Map();
  #keys: HostKeys | undefined;
  #readingKeys: Promise<HostKeys> | undefined;
  #idleCheck: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(entry: EntryNodes, options: NodesOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  get connections(): number {
    let sum = this.#entry.connections;
    for (const link of this.#opened) sum += link.connections;
    return sum;
  }

  /** The members of the cluster, as last read; empty before that. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  learn(members: ReadonlyMap<string, Member>): void {
    this.#members = members;
  }

  /**
   * Does work on a node.
   * @throws AppError with the name of the node if it cannot be used: nothing was sent then, and the node is not tried again
   * during a pause
   */
  async use<T>(name: string, work: (link: NodeLink) => Promise<T>): Promise<T> {
    const entry = this.#entry.current;
    if (entry?.name === name) return this.#entry.onCurrent(work);
    const old = this.#links.get(name);
    try {
      return await this.#once(name, work);
    } catch (error) {
      // A link that worked before may lead through an entry node that is lost, or to an address that has changed.
      if (old === undefined || !isNotConnected(error) || isOfAnotherNode(error, name)) throw error;
      return this.#once(name, work);
    }
  }

  async #once<T>(name: string, work: (link: NodeLink) => Promise<T>): Promise<T> {
    const refusal = this.#refusals.get(name);
    if (refusal !== undefined && performance.now() < refusal.until) throw refusal.error;
    const old = this.#links.has(name);
    let link: NodeLink | undefined;
    try {
      link = await this.#link(name);
      const result = await link.use(work);
      this.#refusals.delete(name);
      return result;
    } catch (error) {
      if (!isNotConnected(error) || isOfAnotherNode(error, name)) throw error;
      if (link !== undefined) this.#remove(name, link);
      throw old ? error : this.#failed(name, error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleCheck);
    const links = [...this.#opened];
    this.#links.clear();
    this.#opened.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #link(name: string): Promise<NodeLink> {
    if (this.#closed) return Promise.reject(shuttingDown());
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    this.#closeIdle();
    const opening = this.#open(name);
    this.#links.set(name, opening);
    opening.catch(() => {
      if (this.#links.get(name) === opening) this.#links.delete(name);
    });
    return opening;
  }

  async #open(name: string): Promise<NodeLink> {
    const address = this.#addressOf(name);
    const { keys, target } = await this.#hostKeys();
    const trusted = {
      text: keys,
      source: '/etc/pve of the cluster',
      remedy: `Run \`pvecm updatecerts\` on node ${name}, which publishes its host key in the cluster.`,
    };
    const link = await this.#options.open(name, routesToNode(name, address, target, trusted));
    if (this.#closed) {
      void link.close();
      throw shuttingDown();
    }
    this.#opened.add(link);
    // The entry node through which it leads may be lost. A new link leads through the present one.
    link.shell.claims.elsewhere = (work) => {
      this.#remove(name, link);
      return this.#once(name, ({ shell }) => work(shell));
    };
    return link;
  }

  /** Concurrent uses share one read. It goes through the entry node, whose host key has been verified. */
  #hostKeys(): Promise<HostKeys> {
    this.#readingKeys ??= this.#entry
      .read(async (link) => ({ keys: await readHostKeys(link), target: link.target }))
      .then(
        (keys) => {
          this.#keys = keys;
          return keys;
        },
        (error: unknown) => {
          // What was read before was verified, too.
          if (this.#keys === undefined) throw error;
          return this.#keys;
        },
      )
      .finally(() => {
        this.#readingKeys = undefined;
      });
    return this.#readingKeys;
  }

  #addressOf(name: string): NodeAddress {
    const ip = this.#members.get(name)?.ip;
    const address = this.#options.addresses.get(name) ?? (ip ? { host: ip } : undefined);
    if (address !== undefined) return address;
    throw new AppError(
      'SSH_UNREACHABLE',
      this.#members.has(name)
        ? `The cluster has no address of node ${name}.`
        : `Node ${name} is not a member of the cluster.`,
      `Check \`pvecm status\` on a node, or set the address of the node with NODE_ADDRESSES=${name}=ADDRESS.`,
    );
  }

  #failed(name: string, error: AppError): AppError {
    const named = new NodeUnavailable(name, error);
    const before = this.#refusals.get(name);
    // Calls that failed together count once.
    if (before !== undefined && performance.now() < before.until) return named;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, before === undefined ? FIRST_PAUSE_MS : 2 * before.pauseMs);
    this.#refusals.set(name, { error: named, until: performance.now() + pauseMs, pauseMs });
    this.#options.logger.warn({ node: name, reason: error.message }, 'a node cannot be used');
    return named;
  }

  #remove(name: string, link: NodeLink): void {
    if (!this.#opened.delete(link)) return;
    this.#links.delete(name);
    link.retire();
  }

  #closeIdle(): void {
    const { idleMs = IDLE_MS } = this.#options;
    const idle = [...this.#opened].filter((link) => link.idleMs > 0).sort((a, b) => b.idleMs - a.idleMs);
    for (const link of idle) {
      if (link.idleMs < idleMs && this.#opened.size < MAX_LINKS) break;
      this.#remove(link.name ?? '', link);
    }
    clearTimeout(this.#idleCheck);
    this.#idleCheck = setTimeout(() => this.#closeIdle(), idleMs / 2).unref();
  }
}

/** @throws AppError if the cluster file system of the entry node does not answer */
async function readHostKeys({ shell }: NodeLink): Promise<string> {
  const output = await shell.script(SCRIPTS.hostKeys, [], { timeoutMs: KEYS_LIMIT_MS, readsPmxcfs: true });
  if (output.items.some(([key]) => key === 'end')) return output.sections.get('keys') ?? '';
  throw new AppError(
    'PMXCFS_UNAVAILABLE',
    'The host keys of the other nodes could not be read from /etc/pve, so no other node can be verified.',
    'Run `systemctl status pve-cluster corosync` on the node.',
  );
}
