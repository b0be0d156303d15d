import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose';
import { messageOf } from '../../../lib/errors.ts';

/** The issuer gives no keys: nobody's token can be checked, good or not. The message says what was tried. */
export class IssuerUnavailable extends Error {}

const TIMEOUT_MS = 5000;
/** After a failure nobody waits for the next one: requests in between get the same answer at once. */
const PAUSE_MS = 2000;
/** A key that we do not have is looked for once in this time: after a rotation, and when somebody makes keys up. */
const COOLDOWN_MS = 5000;
const KEYS_MAX_AGE_MS = 600_000;
const MAX_DOCUMENT = 1_000_000;

/**
 * The keys of one issuer of tokens. Asked for with the first token, kept for ten minutes, and asked for again when a token
 * names a key that is not there.
 */
export class Issuer {
  readonly #issuer: string;
  #keys: RemoteJWKSet | undefined;
  #discovery: Promise<RemoteJWKSet> | undefined;
  #failed: { readonly until: number; readonly error: IssuerUnavailable } | undefined;

  /** @param issuer as tokens have it in `iss`, to the letter */
  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  /**
   * The key for a token's header.
   * @throws IssuerUnavailable; errors of jose where the issuer answers and has no such key
   */
  readonly keyFor: JWTVerifyGetKey = async (header, token) => {
    if (this.#failed !== undefined && Date.now() < this.#failed.until) {
      return this.#knownKey(this.#failed.error, header, token);
    }
    try {
      this.#keys ??= await this.#discover();
      return await this.#keys(header, token);
    } catch (error) {
      if (isAboutTheKey(error)) throw error;
      const unavailable = new IssuerUnavailable(
        `the keys of ${this.#issuer} cannot be had: ${reasonOf(error)}`,
        { cause: error },
      );
      this.#failed = { until: Date.now() + PAUSE_MS, error: unavailable };
      return this.#knownKey(unavailable, header, token);
    }
  };

  /** While the issuer does not answer, the keys that we have go on to serve: not every token waits for it. */
  async #knownKey(unavailable: IssuerUnavailable, ...[header, token]: Parameters<JWTVerifyGetKey>) {
    const known = this.#keys?.fresh === true ? this.#keys.jwks() : undefined;
    if (known === undefined) {
      // What it publishes may have moved: the next attempt begins at the beginning.
      this.#keys = undefined;
      throw unavailable;
    }
    try {
      return await createLocalJWKSet(known)(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? unavailable : error;
    }
  }

  /** One at a time, however many tokens wait for it. */
  #discover(): Promise<RemoteJWKSet> {
    this.#discovery ??= discover(this.#issuer).finally(() => {
      this.#discovery = undefined;
    });
    return this.#discovery;
  }
}

function isAboutTheKey(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

async function discover(issuer: string): Promise<RemoteJWKSet> {
  const failures: string[] = [];
  for (const url of wellKnownOf(issuer)) {
    try {
      return createRemoteJWKSet(keysUrl(await readDocument(url), issuer), {
        timeoutDuration: TIMEOUT_MS,
        cooldownDuration: COOLDOWN_MS,
        cacheMaxAge: KEYS_MAX_AGE_MS,
      });
    } catch (error) {
      failures.push(`${url}: ${reasonOf(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Where an issuer publishes what it offers, in the order in which MCP's clients ask for it (RFC 8414, OpenID Connect). */
export function wellKnownOf(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
  ];
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

async function readDocument(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    // What answers elsewhere is not the issuer that the operator named.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  if (Number(response.headers.get('content-length') ?? 0) > MAX_DOCUMENT) throw new Error('far too long');
  return response.json();
}

/** @throws Error when the document is another issuer's, or names no place for keys that can be trusted */
function keysUrl(document: unknown, issuer: string): URL {
  if (typeof document !== 'object' || document === null) throw new Error('not a JSON object');
  const { issuer: named, jwks_uri: uri } = { issuer: undefined, jwks_uri: undefined, ...document };
  if (named !== issuer) throw new Error('its issuer is not, to the letter, the one that is configured');
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw new Error('it has no jwks_uri');
  const url = new URL(uri);
  if (url.protocol !== 'https:' && new URL(issuer).protocol === 'https:')
    throw new Error('its jwks_uri is not https');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error('its jwks_uri is no URL of the web');
  return url;
}

/** fetch says "fetch failed", and why one level below. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof Error && 'code' in cause ? `: ${String(cause.code)}` : '';
  return `${messageOf(error)}${inner}`;
}
