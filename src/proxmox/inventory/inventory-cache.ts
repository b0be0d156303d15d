import { AppError } from '../../lib/errors.ts';
import { attributesOf, type ContainerAttributes } from '../../remote/remote-types.ts';
import type { RemoteShell } from '../../remote/shell.ts';
import { findContainer, type Inventory, readInventory } from './inventory.ts';

/** pmxcfs answers in milliseconds. Rules that need what can't be read by then deny. */
const READ_LIMIT_MS = 2_000;

/**
 * Attributes of the cluster's containers as they were last read. They may be old: what is decided on them is checked on the
 * node when it takes effect, and what no longer holds is forgotten.
 */
export class InventoryCache {
  readonly #shell: RemoteShell;
  #known = new Map<number, ContainerAttributes>();
  #reading: Promise<Inventory> | undefined;

  constructor(shell: RemoteShell) {
    this.#shell = shell;
  }

  /**
   * @param look `again`: on the node, whatever is known
   * @returns undefined when it cannot be read within 2 s
   * @throws AppError CONTAINER_NOT_FOUND or NOT_A_CONTAINER, as seen just now; PERMISSION_DENIED, CANCELLED
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
  learn({ containers }: Inventory): void {
    this.#known = new Map(containers.map((container) => [container.vmid, attributesOf(container)]));
  }

  forget(vmid: number): void {
    this.#known.delete(vmid);
  }

  /** One reading serves all that wait; no single call's cancel ends it. */
  async #read(vmid: number): Promise<ContainerAttributes> {
    this.#reading ??= readInventory(this.#shell, NEVER, { limitMs: READ_LIMIT_MS })
      .then((inventory) => {
        this.learn(inventory);
        return inventory;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return attributesOf(findContainer(await this.#reading, vmid));
  }
}

const NEVER = new AbortController().signal;

function cancelled(): AppError {
  return new AppError('CANCELLED', 'The call was cancelled.', 'Nothing was changed.');
}
