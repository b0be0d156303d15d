/**
 * Syncs a file in the background. Requests that arrive during one sync share the next, because it is unknown what a running
 * sync includes.
 */
export class CoalescedFsync {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Resolves when everything written before is on the disk. @throws what the file system says */
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
