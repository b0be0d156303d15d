import { AppError } from '../../lib/errors.ts';
import type { NodeLogger } from '../../remote/remote-shell.ts';
import { isNotConnected, shuttingDown } from '../../ssh/pool-errors.ts';
import type { SshTarget } from '../../ssh/ssh-types.ts';
import type { NodeLink } from './node-link.ts';
import { isOfAnotherNode } from './node-unavailable.ts';

/** After this time without an answer, in ms, a read is tried on the next entry node as well. */
const HEDGE_MS = 2_500;

/**
 * The nodes in HOST, through which the cluster is read. One of them is in use. If it cannot be used, the next one replaces it,
 * also for later reads.
 */
export class EntryNodes {
  readonly targets: readonly SshTarget[];
  readonly #open: (target: SshTarget) => Promise<NodeLink>;
  readonly #logger: NodeLogger;
  readonly #links = new Map<number, Promise<NodeLink>>();
  #serving = 0;
  #current: NodeLink | undefined;
  #closed = false;

  /** @param open opens a link to one of the targets */
  constructor(
    targets: readonly SshTarget[],
    open: (target: SshTarget) => Promise<NodeLink>,
    logger: NodeLogger,
  ) {
    this.targets = targets;
    this.#open = open;
    this.#logger = logger;
  }

  /** The link to the node in use; undefined before the first use. */
  get current(): NodeLink | undefined {
    return this.#current;
  }

  get connections(): number {
    return this.#current?.connections ?? 0;
  }

  /**
   * Does work on the node in use, or on the next one if nothing could be sent.
   * @throws AppError of the first node if none can be used
   */
  async use<T>(work: (link: NodeLink) => Promise<T>): Promise<T> {
    const failures: unknown[] = [];
    for (const index of this.#order()) {
      try {
        return await this.#on(index, work);
      } catch (error) {
        if (!isNotConnected(error) || isOfAnotherNode(error, null)) throw error;
        failures.push(error);
      }
    }
    throw failures[0];
  }

  /**
   * Does work that changes nothing. With several entry nodes, the next one is asked as well if one fails or does not answer in
   * time.
   * @throws AppError of the first node if none answers
   */
  read<T>(work: (link: NodeLink) => Promise<T>): Promise<T> {
    const order = this.#order();
    return new Promise((resolve, reject) => {
      let running = 0;
      let failure: unknown;
      let timer: NodeJS.Timeout | undefined;
      const next = (): void => {
        clearTimeout(timer);
        const index = order.shift();
        if (index === undefined) return;
        running += 1;
        this.#on(index, work).then(resolve, (error: unknown) => {
          running -= 1;
          failure ??= error;
          if (!mayBeAnsweredElsewhere(error)) return reject(error);
          next();
          if (running === 0) reject(failure);
        });
        if (order.length > 0) timer = setTimeout(next, HEDGE_MS);
      };
      next();
    });
  }

  /**
   * Does work on the node in use only.
   * @throws AppError
   */
  onCurrent<T>(work: (link: NodeLink) => Promise<T>): Promise<T> {
    return this.#on(this.#serving, work);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.then((opened) => opened.close()).catch(() => {})));
  }

  /** Indexes of the nodes, with the one in use first. */
  #order(): number[] {
    const all = this.targets.map((_, index) => index);
    return [...all.slice(this.#serving), ...all.slice(0, this.#serving)];
  }

  async #on<T>(index: number, work: (link: NodeLink) => Promise<T>): Promise<T> {
    const before = this.#current;
    const link = await this.#link(index);
    try {
      const result = await link.use(work);
      // Unless another node has replaced this one in the meantime, because it was slow.
      if (this.#current === before || this.#current === undefined) this.#serve(index, link);
      return result;
    } catch (error) {
      if (isNotConnected(error) && !isOfAnotherNode(error, link.name)) this.#drop(index, link, error);
      throw error;
    }
  }

  #link(index: number): Promise<NodeLink> {
    if (this.#closed) return Promise.reject(shuttingDown());
    const known = this.#links.get(index);
    if (known !== undefined) return known;
    const target = this.targets[index];
    if (target === undefined) return Promise.reject(new TypeError('there is no such entry node'));
    const opening = this.#open(target).then((link) => {
      if (!this.#closed) return link;
      void link.close();
      throw shuttingDown();
    });
    opening.catch(() => this.#links.delete(index));
    this.#links.set(index, opening);
    return opening;
  }

  #serve(index: number, link: NodeLink): void {
    if (this.#current === link) return;
    if (index !== this.#serving) {
      this.#logger.warn({ address: this.targets[index]?.host }, 'this entry node serves now');
    }
    this.#serving = index;
    this.#current = link;
  }

  /** A link that failed is opened again the next time; with one entry node it reconnects by itself. */
  #drop(index: number, link: NodeLink, error: AppError): void {
    if (this.targets.length === 1) return;
    this.#logger.warn(
      { address: this.targets[index]?.host, reason: error.message },
      'an entry node cannot be used',
    );
    this.#links.delete(index);
    if (this.#current === link) this.#current = undefined;
    link.retire();
  }
}

/** Whether another node may answer a read that failed on this one. */
function mayBeAnsweredElsewhere(error: unknown): boolean {
  if (isNotConnected(error)) return true;
  return error instanceof AppError && ['PMXCFS_UNAVAILABLE', 'DISCONNECTED'].includes(error.code);
}
