import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { Issuer, IssuerUnavailable } from './issuer.ts';

/** Why a JWT is not accepted, as an error_description of RFC 6750: ASCII without quotes and backslashes. */
export class InvalidToken extends Error {}

/** Algorithms with public keys only. With a shared-key algorithm, an attacker could use the public key as the shared key. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** RFC 9068 requires at+jwt; most issuers send JWT or nothing. Tokens of other types are not access tokens. */
const TYPES = ['at+jwt', 'application/at+jwt', 'jwt'];
/** At most as long as OpenID Connect allows, and without invisible characters. */
const SUBJECT = /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u;
/** Tolerated clock difference. */
const TOLERANCE_S = 10;

export interface AccessToken {
  /** `sub`, or the client id if there is no `sub`. */
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** Verifies the JWTs of one issuer for one audience. */
export class AccessTokens {
  readonly #issuer: string;
  readonly #audience: string;
  readonly #keys: Issuer;

  constructor(issuer: string, audience: string) {
    this.#issuer = issuer;
    this.#audience = audience;
    this.#keys = new Issuer(issuer);
  }

  /** @throws InvalidToken; IssuerUnavailable if the token cannot be verified now */
  async verify(token: string): Promise<AccessToken> {
    this.#precheck(token);
    try {
      const { payload } = await jwtVerify(token, this.#keys.keyFor, {
        issuer: this.#issuer,
        audience: this.#audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE_S,
        requiredClaims: ['exp'],
      });
      return accept(payload);
    } catch (error) {
      if (error instanceof InvalidToken || error instanceof IssuerUnavailable) throw error;
      if (error instanceof errors.JOSEError) throw new InvalidToken(descriptionOf(error));
      // jose parses the token before it verifies the signature. If that fails, the token is invalid.
      throw new InvalidToken('The token cannot be verified');
    }
  }

  /** Checks that need no key come first, so that invalid tokens cause no request to the issuer. */
  #precheck(token: string): void {
    const { alg, typ } = readPart(() => decodeProtectedHeader(token));
    if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
      throw new InvalidToken('The algorithm of the token is not accepted');
    if (typ !== undefined && (typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase())))
      throw new InvalidToken('The token is not an access token');
    if (readPart(() => decodeJwt(token)).iss !== this.#issuer)
      throw new InvalidToken('The token is from another issuer');
  }
}

/** Whether the text consists of three parts separated by dots. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/** Parses the unverified token. Any error means that the token is invalid. */
function readPart<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new InvalidToken('The token is malformed');
  }
}

function accept(payload: JWTPayload): AccessToken {
  // The token is bound to a key (RFC 9449, RFC 8705) whose possession was not proved.
  if (payload.cnf !== undefined)
    throw new InvalidToken('The token is bound to a key, so it is not a bearer token');
  const clientId = textOf(payload.client_id) ?? textOf(payload.azp) ?? '';
  const subject = textOf(payload.sub) ?? clientId;
  if (subject === '') throw new InvalidToken('The token has no subject');
  // The subject names the caller in rules, in the audit log and in the log.
  if (!SUBJECT.test(subject)) throw new InvalidToken('The subject of the token is not a valid name');
  return { subject, clientId, scopes: scopesOf(payload), expiresAt: payload.exp ?? 0 };
}

/** `scope` as RFC 9068 has it; `scp` as Microsoft's and Okta's issuers do, a list or a text. */
function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  return [scope, scp].flatMap((claim): string[] => {
    if (typeof claim === 'string') return claim.split(' ');
    return Array.isArray(claim) ? claim.filter((each) => typeof each === 'string') : [];
  });
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}

function descriptionOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'The token is for a different audience';
    if (error.claim === 'exp') return 'The token has no expiry time';
    return 'A claim of the token is invalid';
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer does not have the key of the token';
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return 'The token does not name the key that signed it';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is invalid';
  return 'The token is malformed';
}
