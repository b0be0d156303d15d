import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const WINDOW_S = 60;
/** Maximum number of remembered pairs of address and valid token. */
const REMEMBERED = 1000;

/** Length from which a token cannot be guessed at any rate: 128 bits even in hexadecimal. */
const UNGUESSABLE = 32;

/**
 * Limits guessing per address. After too many wrong tokens from an address, only tokens that were valid from there before, or
 * that are too long to be guessed, are checked for the rest of the minute. So one client that guesses does not lock out
 * others that share its address through a proxy.
 */
export class GuessLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #good = new Set<string>();

  /** @param perMinute wrong tokens allowed per address */
  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_S });
  }

  /**
   * Whether this token may be checked now.
   * @param length length of the token in characters
   * @returns 0 if so, else the seconds after which the address may try again
   */
  async waitS(address: string, digest: Buffer, length = 0): Promise<number> {
    if (length >= UNGUESSABLE) return 0;
    const state = await this.#limiter.get(sourceOf(address));
    if (state === null || state.consumedPoints < this.#limiter.points) return 0;
    return this.#good.has(pair(address, digest)) ? 0 : Math.max(1, Math.ceil(state.msBeforeNext / 1000));
  }

  /** Counts a wrong token. */
  async failed(address: string): Promise<void> {
    await this.#limiter.penalty(sourceOf(address));
  }

  /** Remembers a valid token. */
  succeeded(address: string, digest: Buffer): void {
    const key = pair(address, digest);
    // Moved to the end, so that the first entry is the least recently used one.
    this.#good.delete(key);
    this.#good.add(key);
    if (this.#good.size <= REMEMBERED) return;
    for (const oldest of this.#good) {
      this.#good.delete(oldest);
      return;
    }
  }
}

function pair(address: string, digest: Buffer): string {
  return `${sourceOf(address)} ${digest.toString('base64')}`;
}

/** The /64 network of an IPv6 address, because a client usually controls the whole network. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: gap }, () => '0'), ...back];
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
