import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { Issuer, IssuerUnavailable } from './issuer.ts';

/** Why a JWT is not accepted, in the words of RFC 6750's error_description: ASCII without quotes and backslashes. */
export class InvalidToken extends Error {}

/** Signatures that only the issuer can make. None with a shared key, where the public key might be taken for one. */
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
/** RFC 9068 says at+jwt; most issuers say JWT or nothing. What else there is, is not for getting in. */
const TYPES = ['at+jwt', 'application/at+jwt', 'jwt'];
/** As long as OpenID Connect lets it be, and nothing in it that a reader would not see. */
const SUBJECT = /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u;
/** Clocks differ a little. */
const TOLERANCE_S = 10;

export interface AccessToken {
  /** `sub`, else the client that it was given to. */
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** Checks the JWTs of one issuer for one audience. */
export class AccessTokens {
  readonly #issuer: string;
  readonly #audience: string;
  readonly #keys: Issuer;

  constructor(issuer: string, audience: string) {
    this.#issuer = issuer;
    this.#audience = audience;
    this.#keys = new Issuer(issuer);
  }

  /** @throws InvalidToken; IssuerUnavailable when it cannot be said whether the token is good */
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
      // jose reads parts of the token that nobody has signed: what it cannot handle there is no token.
      throw new InvalidToken('The token cannot be verified');
    }
  }

  /** What can be refused without its key is: the issuer is not asked about every piece of rubbish. */
  #precheck(token: string): void {
    const { alg, typ } = readPart(() => decodeProtectedHeader(token));
    if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
      throw new InvalidToken('The algorithm of the token is not accepted');
    if (typ !== undefined && (typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase())))
      throw new InvalidToken('This is no access token');
    if (readPart(() => decodeJwt(token)).iss !== this.#issuer)
      throw new InvalidToken('The token is from another issuer');
  }
}

/** Three parts with dots between. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/** Nothing is verified yet: whatever goes wrong in here is the token's fault. */
function readPart<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new InvalidToken('The token is malformed');
  }
}

function accept(payload: JWTPayload): AccessToken {
  // Bound to a key that its holder must prove to have (RFC 9449, RFC 8705), which nobody did.
  if (payload.cnf !== undefined) throw new InvalidToken('The token is bound to a key and is no bearer token');
  const clientId = textOf(payload.client_id) ?? textOf(payload.azp) ?? '';
  const subject = textOf(payload.sub) ?? clientId;
  if (subject === '') throw new InvalidToken('The token has no subject');
  // It names the caller in rules, in the record and in the log.
  if (!SUBJECT.test(subject)) throw new InvalidToken('The subject of the token is no name');
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
    if (error.claim === 'aud') return 'The token is for another audience';
    if (error.claim === 'exp') return 'The token has no end of validity';
    return 'A claim of the token does not hold';
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer has no such key';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'The token does not say which key signed it';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is wrong';
  return 'The token is malformed';
}
