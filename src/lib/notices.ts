/** The current notice for waiting callers, such as a message of the SSH server that delays the login. */
export class Notices {
  #current: string | null = null;
  readonly #listeners = new Set<(text: string | null) => void>();

  /** @param text null: clears the notice */
  show(text: string | null): void {
    this.#current = text;
    for (const listener of this.#listeners) listener(text);
  }

  /** Calls `listener` with the current notice, if any, and at each change. @returns a function that unsubscribes */
  subscribe(listener: (text: string | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#current !== null) listener(this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
