import { visible } from '../lib/visible.ts';

/**
 * How long, in ms, a login may take once the server has sent a banner. A banner may contain a link that a person has to open
 * before the login continues, as with Tailscale SSH in check mode. Equal to the LoginGraceTime of OpenSSH.
 */
export const BANNER_TIMEOUT_MS = 120_000;
/** A banner is shown only if the login takes longer than this, because most banners are just legal notices. */
const SHOWN_AFTER_MS = 1000;
/** Maximum characters of a banner in a message. */
const MAX_LENGTH = 400;

export interface LoginWaitOptions {
  /** How long connecting and logging in to one host may take if the server sends no banner, in ms. */
  readonly readyTimeoutMs: number;
  readonly bannerTimeoutMs?: number;
  /** Called with a message when the login waits after a banner, and with null when the wait is over. */
  readonly onBanner?: (text: string | null) => void;
}

/** The timeout of one login, and the banners that the server has sent. */
export class LoginWait {
  readonly #host: string;
  readonly #options: LoginWaitOptions;
  readonly #onTimeout: (error: Error) => void;
  #timer: NodeJS.Timeout;
  #showTimer: NodeJS.Timeout | undefined;
  #shown = false;
  #text = '';

  /** @param onTimeout called once, when the login takes too long */
  constructor(host: string, options: LoginWaitOptions, onTimeout: (error: Error) => void) {
    this.#host = host;
    this.#options = options;
    this.#onTimeout = onTimeout;
    this.#timer = this.#start(options.readyTimeoutMs);
  }

  /** The banners so far as one line, truncated if long; empty if there was none. */
  get banner(): string {
    const lines = visible(this.#text)
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ').trim());
    const all = lines.join(' ').trim();
    if (all.length <= MAX_LENGTH) return all;
    const links = lines.filter(hasLink).join(' ');
    return `${(links === '' ? all : links).slice(0, MAX_LENGTH)}…`;
  }

  /** Adds a banner and extends the timeout. */
  addBanner(text: string): void {
    this.#text += `${text.slice(0, 65_536)}\n`;
    clearTimeout(this.#timer);
    this.#timer = this.#start(this.#options.bannerTimeoutMs ?? BANNER_TIMEOUT_MS);
    this.#showTimer ??= setTimeout(() => this.#show(), SHOWN_AFTER_MS);
    if (this.#shown) this.#show();
  }

  /** Ends the wait: the login has succeeded or failed. */
  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#showTimer);
    if (this.#shown) this.#options.onBanner?.(null);
    this.#shown = false;
  }

  #show(): void {
    this.#shown = true;
    this.#options.onBanner?.(`${this.#host} delays the login; its banner is: "${this.banner}"`);
  }

  #start(ms: number): NodeJS.Timeout {
    const limit = `no answer within ${ms / 1000} s`;
    return setTimeout(() => this.#onTimeout(new Error(`Timed out: ${limit}`)), ms);
  }
}

/** Whether the text contains a link. */
export function hasLink(text: string): boolean {
  return /https?:\/\/\S/i.test(text);
}
