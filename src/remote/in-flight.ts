import { delay } from '../lib/waits.ts';
import { shuttingDown } from '../ssh/pool-errors.ts';

/** The remote work in progress, so that a shutdown of the server can cancel it and wait until it has ended. */
export class InFlightCalls {
  readonly #controller = new AbortController();
  readonly #works = new Set<Promise<unknown>>();

  /** Aborted when the server shuts down. */
  get ending(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws AppError SHUTTING_DOWN during a shutdown */
  async track<T>(begin: () => Promise<T>): Promise<T> {
    if (this.ending.aborted) {
      throw shuttingDown();
    }
    const work = begin();
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** Cancels everything and waits until all cleanup has finished, at most `withinMs`. */
  async end(withinMs: number): Promise<void> {
    this.#controller.abort();
    await Promise.race([Promise.allSettled(this.#works), delay(withinMs)]);
  }
}
