import { shuttingDown } from '../ssh/pool-errors.ts';
import { delay } from './shell.ts';

/** The calls that are running on the node, so that the server can end all of them at shutdown and wait for them. */
export class InFlightCalls {
  readonly #controller = new AbortController();
  readonly #works = new Set<Promise<unknown>>();

  /** Aborted when the server shuts down. */
  get ending(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws AppError SHUTTING_DOWN when it is too late to begin anything */
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

  /** Cancels everything and waits until each has cleaned up after itself, or `withinMs` are over. */
  async end(withinMs: number): Promise<void> {
    this.#controller.abort();
    await Promise.race([Promise.allSettled(this.#works), delay(withinMs)]);
  }
}
