import type { Right } from '../../../lib/caller.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { HttpCaller } from '../http-types.ts';
import { type AccessTokens, InvalidToken, looksLikeJwt } from './access-token.ts';
import { type Challenge, refuse } from './challenge.ts';
import { GuessLimit } from './guess-limit.ts';
import { IssuerUnavailable } from './issuer.ts';
import type { ResourceMetadata } from './resource-metadata.ts';
import { rightsOf, scopeOf } from './scopes.ts';
import { digestOf, type TokenTable } from './token-table.ts';

/** An issuer whose JWTs are accepted, and what its clients are told. */
export interface OAuthParts {
  readonly tokens: AccessTokens;
  readonly metadata: ResourceMetadata;
  readonly scopePrefix: string;
  /** The rights that can be of use with the settings of this server. */
  readonly rights: readonly Right[];
}

export interface BearerParts {
  readonly table: TokenTable;
  readonly oauth?: OAuthParts | undefined;
  readonly logger: Logger;
}

/** Wrong tokens that one address may try in a minute. A client with a stale token tries far fewer. */
const GUESSES = 10;
/** Lines in the log about one address in a minute: JWTs are looked at however many come, but need not fill the disk. */
const NOISE = 100;

/** Finds out who sends a request by the bearer token in its Authorization header. */
export class BearerAuthentication {
  readonly #parts: BearerParts;
  readonly #guesses = new GuessLimit(GUESSES);
  readonly #noise = new GuessLimit(NOISE);
  #toldOf: unknown;

  constructor(parts: BearerParts) {
    this.#parts = parts;
  }

  /**
   * The caller, or the answer that refuses. Never rejects for what a client sends.
   * @param address of the client, as far as it can be known
   */
  async authenticate(request: Request, address: string): Promise<HttpCaller | Response> {
    const header = request.headers.get('authorization');
    if (header === null) return this.#refuse({ status: 401, description: NO_TOKEN });
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    if (token === undefined) return this.#refuse({ status: 401, description: NO_TOKEN });
    const caller = await this.#identify(token, address);
    if (caller instanceof Response || caller.rights.size > 0) return caller;
    // A token for metrics alone is good for that; a JWT without any of our scopes for nothing.
    if (caller.authInfo === undefined && new URL(request.url).pathname === '/metrics') return caller;
    return this.#refuse({
      status: 403,
      error: 'insufficient_scope',
      description: 'The token gives no right to call tools',
    });
  }

  async #identify(token: string, address: string): Promise<HttpCaller | Response> {
    const { table, oauth } = this.#parts;
    // Nobody guesses a signature; and JWTs change so often that none would be known when it counts.
    if (oauth !== undefined && looksLikeJwt(token)) return this.#identifyJwt(oauth, token, address);
    const digest = digestOf(token);
    const waitS = await this.#guesses.waitS(address, digest, token.length);
    if (waitS > 0) return this.#tooMany(waitS);
    const caller = table.find(digest);
    if (caller === undefined) {
      const overS = await this.#guesses.waitS(address, digest);
      if (overS > 0) return this.#tooMany(overS);
      await this.#guesses.failed(address);
      return this.#invalid('The token is not known here', address, digest);
    }
    this.#guesses.succeeded(address, digest);
    return caller;
  }

  async #identifyJwt(oauth: OAuthParts, token: string, address: string): Promise<HttpCaller | Response> {
    const { tokens, metadata, scopePrefix } = oauth;
    try {
      const { subject, clientId, scopes, expiresAt } = await tokens.verify(token);
      return {
        name: `oauth:${subject}`,
        rights: rightsOf(scopes, scopePrefix),
        authInfo: { token: '', clientId, scopes: [...scopes], expiresAt, resourceMetadataUrl: metadata.url },
      };
    } catch (error) {
      if (error instanceof InvalidToken) return this.#invalid(error.message, address, digestOf(token));
      if (!(error instanceof IssuerUnavailable)) throw error;
      if (this.#toldOf !== error)
        this.#parts.logger.error({ reason: messageOf(error) }, 'tokens cannot be checked');
      this.#toldOf = error;
      return this.#refuse({
        status: 503,
        error: 'temporarily_unavailable',
        description:
          'The issuer of tokens does not answer, so no token can be checked now; the log of this server says why',
        retryAfterS: 5,
      });
    }
  }

  #tooMany(retryAfterS: number): Response {
    const description = 'Too many wrong tokens came from this address';
    return this.#refuse({ status: 429, error: 'temporarily_unavailable', description, retryAfterS });
  }

  async #invalid(description: string, address: string, digest: Buffer): Promise<Response> {
    if ((await this.#noise.waitS(address, digest)) === 0) {
      this.#parts.logger.warn({ address, reason: description }, 'authentication failed');
    }
    await this.#noise.failed(address);
    return this.#refuse({ status: 401, error: 'invalid_token', description });
  }

  #refuse(challenge: Challenge): Response {
    const { oauth } = this.#parts;
    if (oauth === undefined || (challenge.status !== 401 && challenge.status !== 403))
      return refuse(challenge);
    // All that may be of use, as clients are shown only the tools that their scopes allow and so never miss one.
    const scope = oauth.rights.map((right) => scopeOf(right, oauth.scopePrefix)).join(' ');
    return refuse({ scope, metadataUrl: oauth.metadata.url, ...challenge });
  }
}

const NO_TOKEN = 'A token is needed: send the header Authorization: Bearer TOKEN';
