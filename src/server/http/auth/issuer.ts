import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose';
import { messageOf } from '../../../lib/errors.ts';

/** The keys of the issuer are unavailable, so no token can be verified. The message contains the attempted URLs. */
export class IssuerUnavailable extends Error {}

const TIMEOUT_MS = 5000;
/** Pause after a failure, during which requests fail at once with the same error. */
const PAUSE_MS = 2000;
/** Minimum time between requests for unknown keys, which occur after a key rotation or in forged tokens. */
const COOLDOWN_MS = 5000;
const KEYS_MAX_AGE_MS = 600_000;
const MAX_DOCUMENT = 1_000_000;

/**
 * The keys of one token issuer. Fetched with the first token, cached for ten minutes, and fetched again when a token names an
 * unknown key.
 */
export class Issuer {
  readonly #issuer: string;
  #keys: RemoteJWKSet | undefined;
  #discovery: Promise<RemoteJWKSet> | undefined;
  #failed: { readonly until: number; readonly error: IssuerUnavailable } | undefined;

  /** @param issuer exactly the `iss` claim of the tokens */
  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  /**
   * The key for a token's header.
   * @throws IssuerUnavailable; errors of jose if the issuer does not have the key
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
        `the keys of ${this.#issuer} cannot be fetched: ${reasonOf(error)}`,
        { cause: error },
      );
      this.#failed = { until: Date.now() + PAUSE_MS, error: unavailable };
      return this.#knownKey(unavailable, header, token);
    }
  };

  /** While the issuer is unavailable, the cached keys remain valid, and tokens with a known key do not wait. */
  async #knownKey(unavailable: IssuerUnavailable, ...[header, token]: Parameters<JWTVerifyGetKey>) {
    const known = this.#keys?.fresh === true ? this.#keys.jwks() : undefined;
    if (known === undefined) {
      // The key URL may have changed, so the next attempt reads the metadata again.
      this.#keys = undefined;
      throw unavailable;
    }
    try {
      return await createLocalJWKSet(known)(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? unavailable : error;
    }
  }

  /** One request at a time; all waiting tokens share it. */
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

/** URLs of the issuer's metadata, in the order that MCP specifies (RFC 8414, OpenID Connect). */
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
    // No redirects, because another host is not the issuer that the operator configured.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  if (Number(response.headers.get('content-length') ?? 0) > MAX_DOCUMENT)
    throw new Error('the document is too large');
  return response.json();
}

/** @throws Error if the document belongs to another issuer, or has no trustworthy jwks_uri */
function keysUrl(document: unknown, issuer: string): URL {
  if (typeof document !== 'object' || document === null) throw new Error('not a JSON object');
  const { issuer: named, jwks_uri: uri } = { issuer: undefined, jwks_uri: undefined, ...document };
  if (named !== issuer) throw new Error('its issuer is not exactly OAUTH_ISSUER');
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw new Error('it has no jwks_uri');
  const url = new URL(uri);
  if (url.protocol !== 'https:' && new URL(issuer).protocol === 'https:')
    throw new Error('its jwks_uri is not https');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error('its jwks_uri is not an http or https URL');
  return url;
}

/** The message of an error of fetch with its cause, because fetch itself only reports "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof Error && 'code' in cause ? `: ${String(cause.code)}` : '';
  return `${messageOf(error)}${inner}`;
}
