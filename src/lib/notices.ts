/** The current message for waiting calls, such as the banner of an SSH server that delays the login. */
export class Notices {
  #current: string | null = null;
  readonly #listeners = new Set<(text: string | null) => void>();

  /** @param text the message; null: the last message no longer applies */
  show(text: string | null): void {
    this.#current = text;
    for (const listener of this.#listeners) listener(text);
  }

  /** Calls `listener` now, if there is a message, and at each change until the returned function is called. */
  subscribe(listener: (text: string | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#current !== null) listener(this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
