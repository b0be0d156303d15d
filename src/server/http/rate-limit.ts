import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** How many requests each caller may send in a minute. Counted in this process: replicas each have their own count. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /** Counts a request. @returns seconds to wait when it is one too many */
  async exceeded(caller: string): Promise<number | undefined> {
    try {
      await this.#limiter.consume(caller);
      return undefined;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw refused;
    }
  }
}
