import { AppError } from '../../lib/errors.ts';
import { attributesOf, type ContainerAttributes } from '../../remote/remote-types.ts';
import { findContainer, type Inventory } from './inventory.ts';

/** pmxcfs answers in milliseconds. Rules that need attributes that cannot be read within this time deny the call. */
const READ_LIMIT_MS = 2_000;

/**
 * A cache of the attributes of the cluster's containers. They may be out of date: decisions based on them are checked on the
 * node when they take effect, and outdated attributes are removed from the cache.
 */
export class InventoryCache {
  readonly #readInventory: (limitMs: number) => Promise<Inventory>;
  #known = new Map<number, ContainerAttributes>();
  #reading: Promise<Inventory> | undefined;

  /** @param read reads the inventory from a node */
  constructor(read: (limitMs: number) => Promise<Inventory>) {
    this.#readInventory = read;
  }

  /**
   * @param look `again`: read from the node even if cached
   * @returns undefined if they cannot be read within 2 s
   * @throws AppError CONTAINER_NOT_FOUND or NOT_A_CONTAINER, read from the node just now; PERMISSION_DENIED, CANCELLED
   */
  async attributes(
    vmid: number,
    signal: AbortSignal,
    look?: 'again',
  ): Promise<ContainerAttributes | undefined> {
    const known = look === 'again' ? undefined : this.#known.get(vmid);
    if (known !== undefined) return known;
    if (signal.aborted) throw cancelled();
    const aborted = new Promise<'aborted'>((resolve) => {
      signal.addEventListener('abort', () => resolve('aborted'), { once: true });
    });
    const first = await Promise.race([
      this.#read(vmid).catch((error: unknown) => {
        // Only if the node is reachable but its files are unavailable. Other errors are reported.
        if (error instanceof AppError && error.code === 'PMXCFS_UNAVAILABLE') return undefined;
        throw error;
      }),
      aborted,
    ]);
    if (first === 'aborted') throw cancelled();
    return first;
  }

  /** Stores attributes that were read for another purpose. */
  learn({ containers }: Inventory): void {
    this.#known = new Map(containers.map((container) => [container.vmid, attributesOf(container)]));
  }

  forget(vmid: number): void {
    this.#known.delete(vmid);
  }

  /** All waiting calls share one read, which the cancellation of one call does not abort. */
  async #read(vmid: number): Promise<ContainerAttributes> {
    this.#reading ??= this.#readInventory(READ_LIMIT_MS)
      .then((inventory) => {
        this.learn(inventory);
        return inventory;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    const inventory = await this.#reading;
    // Without a search of the whole list for each of many containers.
    return this.#known.get(vmid) ?? attributesOf(findContainer(inventory, vmid));
  }
}

function cancelled(): AppError {
  return new AppError(
    'CANCELLED',
    'The call was cancelled. It changed nothing.',
    'Call again if the result is still needed.',
  );
}
