import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * One HTTP request, from its arrival until its response and its tool calls have ended. The calls may end later than the
 * response: if the client disconnects, their processes must still be killed.
 */
export class Exchange {
  readonly #whenOver: (() => void)[] = [];
  #holds = 0;

  /** Keeps the exchange open until the returned function is called; further calls of it do nothing. */
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

/** Runs the handler of a request so that its tool calls are assigned to the exchange. */
export function within<T>(exchange: Exchange, answer: () => T): T {
  return current.run(exchange, answer);
}

/** For `ServerDeps.trackCall`. */
export function trackCall(): () => void {
  return current.getStore()?.hold() ?? (() => {});
}
