import { visible } from '../lib/visible.ts';

/**
 * How long, in ms, a login may take once the server has sent a banner. A banner may hold a link that a person has to open
 * before the login goes on, as with Tailscale SSH in check mode. As long as OpenSSH's sshd waits for a login.
 */
export const BANNER_TIMEOUT_MS = 120_000;
/** Most banners are legal notices, and the login goes on at once: those are shown to nobody. */
const SHOWN_AFTER_MS = 1000;
/** Characters of a banner in a message. */
const MAX_LENGTH = 400;

export interface LoginWaitOptions {
  /** How long reaching one host and logging in to it may take while the server sends no banner, in ms. */
  readonly readyTimeoutMs: number;
  readonly bannerTimeoutMs?: number;
  /** Told, in a sentence, of a banner behind which the login does not go on, and null when the wait for it is over. */
  readonly onBanner?: (text: string | null) => void;
}

/** The clock of one login, and what the server has said meanwhile. */
export class LoginWait {
  readonly #host: string;
  readonly #options: LoginWaitOptions;
  readonly #onTimeout: (error: Error) => void;
  #timer: NodeJS.Timeout;
  #showTimer: NodeJS.Timeout | undefined;
  #shown = false;
  #text = '';

  /** @param onTimeout called once, when the login has taken too long */
  constructor(host: string, options: LoginWaitOptions, onTimeout: (error: Error) => void) {
    this.#host = host;
    this.#options = options;
    this.#onTimeout = onTimeout;
    this.#timer = this.#start(options.readyTimeoutMs);
  }

  /** What the server has said so far on one line, cut where it is long; empty if it said nothing. */
  get banner(): string {
    const lines = visible(this.#text)
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ').trim());
    const all = lines.join(' ').trim();
    if (all.length <= MAX_LENGTH) return all;
    const links = lines.filter(hasLink).join(' ');
    return `${(links === '' ? all : links).slice(0, MAX_LENGTH)}…`;
  }

  /** Adds a banner; from now on the login may take longer. */
  hear(text: string): void {
    this.#text += `${text.slice(0, 65_536)}\n`;
    clearTimeout(this.#timer);
    this.#timer = this.#start(this.#options.bannerTimeoutMs ?? BANNER_TIMEOUT_MS);
    this.#showTimer ??= setTimeout(() => this.#show(), SHOWN_AFTER_MS);
    if (this.#shown) this.#show();
  }

  /** The login is over, whatever came of it. */
  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#showTimer);
    if (this.#shown) this.#options.onBanner?.(null);
    this.#shown = false;
  }

  #show(): void {
    this.#shown = true;
    this.#options.onBanner?.(`${this.#host} holds up the login and says: "${this.banner}"`);
  }

  #start(ms: number): NodeJS.Timeout {
    const limit = `no answer within ${ms / 1000} s`;
    return setTimeout(() => this.#onTimeout(new Error(`Timed out: ${limit}`)), ms);
  }
}

/** Whether the text holds a link that a person could open. */
export function hasLink(text: string): boolean {
  return /https?:\/\/\S/i.test(text);
}
