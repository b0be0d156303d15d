import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const WINDOW_S = 60;
/** Pairs of address and token that are remembered as good. */
const REMEMBERED = 1000;

/** Characters of a token that is out of reach for guessing at any rate: 128 bits even in hexadecimal. */
const UNGUESSABLE = 32;

/**
 * Slows guessing down, address by address. From an address that guesses too much, for the rest of the minute only tokens are
 * looked up that were right from there before, or that are too long to be guessed: behind a proxy or on a shared machine, one
 * client that guesses must not lock out the others.
 */
export class GuessLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #good = new Set<string>();

  /** @param perMinute wrong tokens that one address may try */
  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_S });
  }

  /**
   * Whether this token may be looked up now.
   * @param length characters of the token
   * @returns 0, or the seconds after which the address may try again
   */
  async waitS(address: string, digest: Buffer, length = 0): Promise<number> {
    if (length >= UNGUESSABLE) return 0;
    const state = await this.#limiter.get(sourceOf(address));
    if (state === null || state.consumedPoints < this.#limiter.points) return 0;
    return this.#good.has(pair(address, digest)) ? 0 : Math.max(1, Math.ceil(state.msBeforeNext / 1000));
  }

  /** The token was wrong. */
  async failed(address: string): Promise<void> {
    await this.#limiter.penalty(sourceOf(address));
  }

  /** The token was right. */
  succeeded(address: string, digest: Buffer): void {
    const key = pair(address, digest);
    // Put at the end once more: the first one is the one that was not used for the longest time.
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

/** Who has one IPv6 address has the 2^64 of its network, too. */
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
