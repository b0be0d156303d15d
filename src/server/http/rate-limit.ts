import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** How many requests each caller may send in a minute. Counted in this process: replicas each have their own count. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /** Counts requests. @returns seconds to wait when they are too many */
  async exceeded(caller: string, requests: number): Promise<number | undefined> {
    try {
      await this.#limiter.consume(caller, requests);
      return undefined;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw refused;
    }
  }
}
