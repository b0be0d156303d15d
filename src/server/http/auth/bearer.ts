import type { Permission } from '../../../lib/caller.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { HttpCaller } from '../http-types.ts';
import { type AccessTokens, InvalidToken, looksLikeJwt } from './access-token.ts';
import { type Challenge, refuse } from './challenge.ts';
import { GuessLimit } from './guess-limit.ts';
import { IssuerUnavailable } from './issuer.ts';
import type { ResourceMetadata } from './resource-metadata.ts';
import { permissionsOf, scopeOf } from './scopes.ts';
import { digestOf, type TokenTable } from './token-table.ts';

/** An issuer whose JWTs are accepted, and its metadata for clients. */
export interface OAuthParts {
  readonly tokens: AccessTokens;
  readonly metadata: ResourceMetadata;
  readonly scopePrefix: string;
  /** The permissions that the settings of this server make useful. */
  readonly permissions: readonly Permission[];
}

export interface BearerParts {
  readonly table: TokenTable;
  readonly oauth?: OAuthParts | undefined;
  readonly logger: Logger;
}

/** Wrong tokens allowed per address and minute. A client with an expired token sends far fewer. */
const GUESSES = 10;
/** Log lines per address and minute. JWTs are checked without a limit, but must not fill the log. */
const NOISE = 100;

/** Identifies the caller by the bearer token in the Authorization header. */
export class BearerAuthentication {
  readonly #parts: BearerParts;
  readonly #guesses = new GuessLimit(GUESSES);
  readonly #noise = new GuessLimit(NOISE);
  #toldOf: unknown;

  constructor(parts: BearerParts) {
    this.#parts = parts;
  }

  /**
   * The caller, or the response that refuses the request. Never rejects because of the request.
   * @param address address of the client, if known
   */
  async authenticate(request: Request, address: string): Promise<HttpCaller | Response> {
    const header = request.headers.get('authorization');
    if (header === null) return this.#refuse({ status: 401, description: NO_TOKEN });
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    if (token === undefined) return this.#refuse({ status: 401, description: NO_TOKEN });
    const caller = await this.#identify(token, address);
    if (caller instanceof Response || caller.permissions.size > 0) return caller;
    // A token for metrics only may read metrics. A JWT without any scope of this server may do nothing.
    if (caller.authInfo === undefined && new URL(request.url).pathname === '/metrics') return caller;
    return this.#refuse({
      status: 403,
      error: 'insufficient_scope',
      description: 'The token has no permission to call tools',
    });
  }

  async #identify(token: string, address: string): Promise<HttpCaller | Response> {
    const { table, oauth } = this.#parts;
    // No limit for JWTs: signatures cannot be guessed, and JWTs change too often to remember good ones.
    if (oauth !== undefined && looksLikeJwt(token)) return this.#identifyJwt(oauth, token, address);
    const digest = digestOf(token);
    const waitS = await this.#guesses.waitS(address, digest, token.length);
    if (waitS > 0) return this.#tooMany(waitS);
    const caller = table.find(digest);
    if (caller === undefined) {
      const overS = await this.#guesses.waitS(address, digest);
      if (overS > 0) return this.#tooMany(overS);
      await this.#guesses.failed(address);
      return this.#invalid('Unknown token', address, digest);
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
        permissions: permissionsOf(scopes, scopePrefix),
        authInfo: { token: '', clientId, scopes: [...scopes], expiresAt, resourceMetadataUrl: metadata.url },
      };
    } catch (error) {
      if (error instanceof InvalidToken) return this.#invalid(error.message, address, digestOf(token));
      if (!(error instanceof IssuerUnavailable)) throw error;
      if (this.#toldOf !== error)
        this.#parts.logger.error({ reason: messageOf(error) }, 'tokens cannot be verified');
      this.#toldOf = error;
      return this.#refuse({
        status: 503,
        error: 'temporarily_unavailable',
        description:
          'The token issuer is unavailable, so tokens cannot be verified now. The log of this server has the reason',
        retryAfterS: 5,
      });
    }
  }

  #tooMany(retryAfterS: number): Response {
    const description = 'Too many wrong tokens from this address';
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
    // All useful scopes: clients see only the tools that their scopes allow, so they would never request more.
    const scope = oauth.permissions.map((permission) => scopeOf(permission, oauth.scopePrefix)).join(' ');
    return refuse({ scope, metadataUrl: oauth.metadata.url, ...challenge });
  }
}

const NO_TOKEN = 'A token is required: send the header Authorization: Bearer TOKEN';
