/** The wall clock, which can be set, and a monotonic clock, which cannot; both in ms. */
export interface Clock {
  wall(): number;
  monotonic(): number;
}

export const SYSTEM_CLOCK: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

/** Maximum clock difference between replicas. A later time means that the clock was set back. */
const SKEW_MS = 60_000;

/**
 * Expiry of approval requests. A clock change never extends a request. In the process that made the request, it expires by
 * the monotonic clock even if the wall clock is set back, and by the wall clock even if the machine sleeps. In another
 * process it expires at once if the wall clock is set back.
 */
export class ExpiryTimes {
  readonly #clock: Clock;
  readonly #begun = new Map<string, { readonly at: number; readonly ttlMs: number }>();

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** @returns the wall clock time, to be stored in the request */
  begin(id: string, ttlMs: number): number {
    const at = this.#clock.monotonic();
    for (const [old, begun] of this.#begun) if (at - begun.at > 2 * begun.ttlMs) this.#begun.delete(old);
    this.#begun.set(id, { at, ttlMs });
    return this.#clock.wall();
  }

  isOver(id: string, askedAt: number, ttlMs: number): boolean {
    const age = this.#clock.wall() - askedAt;
    const begun = this.#begun.get(id);
    if (begun === undefined) return age >= ttlMs || age < -SKEW_MS;
    return age >= ttlMs || this.#clock.monotonic() - begun.at >= ttlMs;
  }

  now(): number {
    return this.#clock.wall();
  }
}
