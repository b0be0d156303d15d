/** The waiters for one condition. A woken waiter checks the condition again. */
export class WaitQueue {
  readonly #waiting = new Set<() => void>();

  /** @returns a function that removes the waiter */
  add(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) each();
  }
}
