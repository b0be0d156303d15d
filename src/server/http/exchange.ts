import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * One HTTP request, from its arrival until both its response and the tool calls that it began are over. The calls may
 * outlast the response: a client that went away leaves processes to be killed.
 */
export class Exchange {
  readonly #whenOver: (() => void)[] = [];
  #holds = 0;

  /** Keeps the exchange from being over until what is returned is called; more calls of that do nothing. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      if (this.#holds === 0) for (const told of this.#whenOver.splice(0)) told();
    };
  }

  whenOver(told: () => void): void {
    this.#whenOver.push(told);
  }
}

const current = new AsyncLocalStorage<Exchange>();

/** Runs what answers a request, so that the calls that it begins are known to belong to it. */
export function within<T>(exchange: Exchange, answer: () => T): T {
  return current.run(exchange, answer);
}

/** For `ServerDeps.trackCall`. */
export function trackCall(): () => void {
  return current.getStore()?.hold() ?? (() => {});
}
