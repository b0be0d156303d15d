/** The lock that pct takes around its operations on one container. */
export class Locks {
  readonly #held = new Map<number, Promise<void>>();

  /** @returns a function that releases the lock; undefined if it is taken */
  tryTake(vmid: number): (() => void) | undefined {
    if (this.#held.has(vmid)) return undefined;
    let release: () => void = () => {};
    this.#held.set(
      vmid,
      new Promise((resolve) => {
        release = resolve;
      }),
    );
    return () => {
      this.#held.delete(vmid);
      release();
    };
  }

  /** Resolves when the lock is released. */
  async freed(vmid: number): Promise<void> {
    await this.#held.get(vmid);
  }
}
