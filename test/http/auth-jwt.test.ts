import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../rig/until.ts';
import { challengeOf, OAuthPair } from './oauth-pair.ts';

let pair: OAuthPair;
beforeAll(async () => {
  pair = await OAuthPair.start({ LOG_LEVEL: 'trace' });
});
afterAll(() => pair.stop());

const failuresLogged = (): number => pair.server.stderr.split('authentication failed').length;
const seconds = () => Math.floor(Date.now() / 1000);
test.each([
  [
    'is for another audience',
    'different audience',
    () => pair.issuer.sign({ ...pair.claims(), aud: 'http://127.0.0.1:1/mcp' }),
  ],
  [
    'is for an audience with the same prefix',
    'different audience',
    () => pair.issuer.sign({ ...pair.claims(), aud: `${pair.resource}2` }),
  ],
  ['has no audience', 'different audience', () => pair.issuer.sign({ ...pair.claims(), aud: undefined })],
  [
    'is from another issuer',
    'another issuer',
    () => pair.issuer.sign({ ...pair.claims(), iss: `${pair.issuer.url}/` }),
  ],
  ['has no issuer', 'another issuer', () => pair.issuer.sign({ ...pair.claims(), iss: undefined })],
  ['has expired', 'has expired', () => pair.issuer.sign({ ...pair.claims(), exp: seconds() - 60 })],
  ['never expires', 'no expiry time', () => pair.issuer.sign({ ...pair.claims(), exp: undefined })],
  ['is not valid yet', 'is invalid', () => pair.issuer.sign({ ...pair.claims(), nbf: seconds() + 60 })],
  ['has no subject', 'no subject', () => pair.issuer.sign({ ...pair.claims(), sub: undefined })],
  [
    'has a subject of two lines',
    'not a valid name',
    () => pair.issuer.sign({ ...pair.claims(), sub: 'alice\nlocal' }),
  ],
  [
    'has a subject of 256 characters',
    'not a valid name',
    () => pair.issuer.sign({ ...pair.claims(), sub: 'x'.repeat(256) }),
  ],
  ['is bound to a key', 'bound to a key', () => pair.issuer.sign({ ...pair.claims(), cnf: { jkt: 'x' } })],
  ['is of another type', 'not an access token', () => pair.issuer.sign(pair.claims(), { typ: 'logout+jwt' })],
  ['has a number for its type', 'not an access token', () => unsigned({ alg: 'RS256', typ: 1 }, '{}')],
  ['has an object for its algorithm', 'algorithm', () => unsigned({ alg: {} }, '{}')],
  ['has a list for its key', '', () => unsigned({ alg: 'RS256', kid: [1] }, issuedBy())],
  ['has a text for its critical headers', '', () => unsigned({ alg: 'RS256', crit: 'b64' }, issuedBy())],
  ['has claims that are not an object', 'malformed', () => unsigned({ alg: 'RS256' }, 'null')],
  ['names an unknown key', 'does not have the key', () => pair.issuer.sign(pair.claims(), { kid: 'third' })],
  ['is not signed', 'algorithm', async () => new UnsecuredJWT(pair.claims()).encode()],
  ['is signed with an unknown key under a known ID', 'signature', signedByStranger],
  ['is signed with the public key as a shared secret', 'algorithm', signedWithPublicKey],
  ['was changed after signing', 'signature', changed],
  ['is not a JWT', 'malformed', async () => 'aaa.bbb.ccc'],
])('rejects a token that %s, and logs no part of it', async (_what, reason, make) => {
  const token = await make();
  const before = failuresLogged();
  const response = await pair.server.list(token);
  expect(response.status).toBe(401);
  await until(() => failuresLogged() > before);
  expect(challengeOf(response)).toMatch(/^Bearer error="invalid_token", error_description="[^"\\]+", scope=/);
  expect(challengeOf(response)).toContain(reason);
  expect(challengeOf(response)).toContain('/.well-known/oauth-protected-resource/mcp"');
  for (const part of token.split('.').filter((each) => each.length > 20))
    expect(pair.server.stderr).not.toContain(part);
});

test('accepts the valid token from which the others are derived', async () => {
  expect((await pair.server.list(await pair.issuer.sign(pair.claims()))).status).toBe(200);
  expect((await pair.server.list(await pair.issuer.sign(pair.claims(), { typ: 'JWT' }))).status).toBe(200);
});

function issuedBy(): string {
  return JSON.stringify(pair.claims());
}

/** An unsigned token of these parts. */
async function unsigned(header: object, claims: string): Promise<string> {
  const parts = [JSON.stringify(header), claims].map((part) => Buffer.from(part).toString('base64url'));
  return `${parts.join('.')}.x`;
}

async function signedByStranger(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT(pair.claims()).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(privateKey);
}

async function signedWithPublicKey(): Promise<string> {
  const key = await importJWK(pair.issuer.publicJwk, 'RS256', { extractable: true });
  if (key instanceof Uint8Array) throw new Error('no public key');
  const secret = new TextEncoder().encode(await exportSPKI(key));
  return new SignJWT(pair.claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
}

async function changed(): Promise<string> {
  const [head, , signature] = (await pair.issuer.sign(pair.claims())).split('.');
  const more = Buffer.from(JSON.stringify({ ...pair.claims(), scope: 'proxmox:host' })).toString('base64url');
  return `${head}.${more}.${signature}`;
}

test('limits log entries about rejected tokens', async () => {
  const other = await OAuthPair.start();
  try {
    for (let count = 0; count < 130; count += 1) {
      expect((await other.server.list('aaa.bbb.ccc')).status).toBe(401);
    }
    expect((await other.server.list(await other.issuer.sign(other.claims()))).status).toBe(200);
  } finally {
    await other.stop();
  }
  expect(other.server.stderr.match(/authentication failed/g)).toHaveLength(100);
});
