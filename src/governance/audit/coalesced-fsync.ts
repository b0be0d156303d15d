/**
 * Syncs a file in the background. Requests during a running sync share the next one, because the running sync may not include
 * their data.
 */
export class CoalescedFsync {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Resolves when all data written before is on the disk. @throws errors of the file system */
  request(): Promise<void> {
    this.#next ??= this.#afterThis();
    return this.#next;
  }

  async #afterThis(): Promise<void> {
    await this.#running.catch(() => {});
    this.#next = undefined;
    this.#running = this.#sync();
    return this.#running;
  }
}
