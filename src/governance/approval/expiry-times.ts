/** Two views of the time, in ms: one that everybody shares and anybody may set, one that only goes on. */
export interface Clock {
  wall(): number;
  monotonic(): number;
}

export const SYSTEM_CLOCK: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

/** Clocks of replicas differ by no more; what was asked further in the future was asked before somebody set the clock back. */
const SKEW_MS = 60_000;

/**
 * Whether something asked is still fresh enough to be answered. Whatever the clocks do, nothing lives longer than its
 * time: in the process that asked, the monotonic clock ends it although the wall clock was set back, and the wall clock
 * ends it although the machine slept; in another process a wall clock that was set back ends it at once.
 */
export class ExpiryTimes {
  readonly #clock: Clock;
  readonly #begun = new Map<string, { readonly at: number; readonly ttlMs: number }>();

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** @returns the wall clock's time, to be kept with what was asked */
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
