/** What is to be known at this moment by those who wait, such as what an SSH server says while it holds up the login. */
export class Notices {
  #current: string | null = null;
  readonly #listeners = new Set<(text: string | null) => void>();

  /** @param text null: it is over */
  show(text: string | null): void {
    this.#current = text;
    for (const listener of this.#listeners) listener(text);
  }

  /** Tells `listener` now, if there is something to be known, and at each change until what is returned is called. */
  subscribe(listener: (text: string | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#current !== null) listener(this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
