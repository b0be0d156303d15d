import { AppError } from '../../lib/errors.ts';
import { attributesOf, type ContainerAttributes } from '../../remote/remote-types.ts';
import type { RemoteShell } from '../../remote/shell.ts';
import { findContainer, type Inventory, readFiles } from './inventory.ts';
import { factsFromPct } from './pct-list.ts';

/** pmxcfs answers in milliseconds. Rules that need what can't be read by then deny. */
const READ_LIMIT_MS = 2_000;

/**
 * What is known of the cluster's containers. It may be old: whoever decides on it lets the node check that it still
 * holds (see guard.ts), and when it does not, what is known of that container is forgotten.
 */
export class InventoryCache {
  readonly #node: RemoteShell;
  #known = new Map<number, ContainerAttributes>();
  #reading: Promise<Inventory | undefined> | undefined;
  /** Questions to pct that are under way. */
  readonly #asking = new Map<number, Promise<ContainerAttributes>>();
  /** sudo has refused the files: pct is asked at once, until somebody wants a second look. */
  #onlyPct = false;

  constructor(node: RemoteShell) {
    this.#node = node;
  }

  /**
   * @param look `again`: on the node, whatever is known
   * @returns undefined when it can't be read within 2 s; by pct, where sudo allows nothing else, within 20 s
   * @throws AppError CONTAINER_NOT_FOUND or NOT_A_CONTAINER, as seen just now; PERMISSION_DENIED, CANCELLED
   */
  async facts(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined> {
    const known = look === 'again' ? undefined : this.#known.get(vmid);
    if (known !== undefined) return known;
    if (signal.aborted) throw cancelled();
    const aborted = new Promise<'aborted'>((resolve) => {
      signal.addEventListener('abort', () => resolve('aborted'), { once: true });
    });
    const first = await Promise.race([
      this.#look(vmid, look).catch((error: unknown) => {
        // The node is there, its files are not. That they may not be read, or that no node is there, is told as it is.
        if (error instanceof AppError && error.code === 'PMXCFS_UNAVAILABLE') return undefined;
        throw error;
      }),
      aborted,
    ]);
    if (first === 'aborted') throw cancelled();
    return first;
  }

  /** Takes over what has just been read for another purpose. */
  learn({ complete, containers }: Inventory): void {
    if (!complete) return;
    this.#known = new Map(containers.map((container) => [container.vmid, attributesOf(container)]));
  }

  forget(vmid: number): void {
    this.#known.delete(vmid);
  }

  async #look(vmid: number, look: 'again' | undefined): Promise<ContainerAttributes> {
    if (!this.#onlyPct || look === 'again') {
      const inventory = await this.#read();
      this.#onlyPct = inventory === undefined;
      if (inventory !== undefined) return attributesOf(findContainer(inventory, vmid));
    }
    const facts = await this.#ask(vmid);
    this.#known.set(vmid, facts);
    return facts;
  }

  /** One reading serves all that wait; it is nobody's own, so that no cancel takes it from the others. */
  #read(): Promise<Inventory | undefined> {
    this.#reading ??= readFiles(this.#node, NOBODY, { limitMs: READ_LIMIT_MS })
      .then((inventory) => {
        if (inventory !== undefined) this.learn(inventory);
        return inventory;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  #ask(vmid: number): Promise<ContainerAttributes> {
    const asking =
      this.#asking.get(vmid) ??
      factsFromPct(this.#node, vmid, NOBODY).finally(() => {
        this.#asking.delete(vmid);
      });
    this.#asking.set(vmid, asking);
    return asking;
  }
}

const NOBODY = new AbortController().signal;

function cancelled(): AppError {
  return new AppError('CANCELLED', 'The call was cancelled.', 'Nothing was changed.');
}
