/** Those who wait for one condition. Whoever is woken looks again whether it holds. */
export class WaitQueue {
  readonly #waiting = new Set<() => void>();

  /** @returns a function that stops waiting */
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
