/**
 * Puts what was written on the disk while other things go on. Whoever asks while one sync is under way shares the next, for
 * nobody knows what the one that has begun takes along.
 */
export class CoalescedFsync {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Resolves when all that was written before is on the disk. @throws what the file system says */
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
