import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Limits the requests of each caller per minute. Each replica counts separately. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /** Counts requests. @returns the seconds to wait if there were too many */
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
