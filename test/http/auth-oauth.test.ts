import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { closedPort, settingsWithoutNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { AuthServer } from './auth-server.ts';
import { TestIssuer } from './issuer.ts';

const TOKEN = 'a-token-that-works-beside-the-issuer-0123';

let issuer: TestIssuer;
let server: AuthServer;
let resource: string;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  issuer = await TestIssuer.start();
  const port = await closedPort();
  resource = `http://127.0.0.1:${port}/mcp`;
  server = await AuthServer.start(
    { ...(await settingsWithoutNode()), OAUTH_ISSUER: issuer.url, OAUTH_AUDIENCE: resource, ...env },
    { port },
  );
}

async function stop(): Promise<void> {
  await server.stop();
  await issuer.stop();
}

/** What a good token says; one claim is then made wrong. */
function claims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { iss: issuer.url, aud: resource, sub: 'alice', scope: 'proxmox:read', iat: now, exp: now + 300 };
}

const failuresLogged = (): number => server.stderr.split('authentication failed').length;

const challenge = (response: Response): string => response.headers.get('www-authenticate') ?? '';

describe('an issuer of tokens', () => {
  beforeAll(() => start({ HTTP_TOKEN: TOKEN, ENABLE_HOST_EXEC: 'true', LOG_LEVEL: 'trace' }));
  afterAll(stop);

  test('is found by a client that has no token', async () => {
    const refused = await server.list();
    expect(refused.status).toBe(401);
    const metadataUrl = `${server.origin}/.well-known/oauth-protected-resource/mcp`;
    expect(challenge(refused)).toBe(
      `Bearer scope="proxmox:read proxmox:write proxmox:host", resource_metadata="${metadataUrl}"`,
    );
    for (const url of [metadataUrl, `${server.origin}/.well-known/oauth-protected-resource`]) {
      const response = await fetch(url);
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toEqual({
        resource,
        authorization_servers: [issuer.url],
        scopes_supported: ['proxmox:read', 'proxmox:write', 'proxmox:host'],
        bearer_methods_supported: ['header'],
        resource_name: 'Proxmox VE containers',
      });
    }
    expect((await fetch(metadataUrl, { method: 'DELETE' })).status).toBe(405);
    expect((await server.get('/.well-known/oauth-protected-resource/other')).status).toBe(404);
  });

  test('gives a client tokens that are good here, with the rights of their scopes', async () => {
    const read = await issuer.grant(resource, 'proxmox:read');
    expect((await server.toolNames(read)).sort()).toEqual(['container_status', 'list_containers']);
    const write = await issuer.grant(resource, 'proxmox:write');
    expect(await server.toolNames(write)).toHaveLength(7);
    const all = await issuer.grant(resource, 'proxmox:read proxmox:write proxmox:host');
    expect(await server.toolNames(all)).toHaveLength(10);
    expect((await server.result(all, 'host_exec_command', { command: 'id' })).data.code).toBe(
      'SSH_UNREACHABLE',
    );
  });

  test('is not asked about a token of ours', async () => {
    expect((await server.list(TOKEN)).status).toBe(200);
  });

  const insufficient = () =>
    'Bearer error="insufficient_scope", error_description="The call needs the right write", scope="proxmox:write", ' +
    `resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`;

  test('a call beyond the scopes is answered with the scope that it needs, logged and counted', async () => {
    const read = await issuer.grant(resource, 'proxmox:read');
    const response = await server.call(read, 'stop_container', { vmid: 101 });
    expect(response.status).toBe(403);
    expect(challenge(response)).toBe(insufficient());
    expect(challenge(await server.call(read, 'host_exec_command', { command: 'id' }))).toContain(
      '"proxmox:host"',
    );
    expect(await server.metric(TOKEN, 'proxmox_mcp_refusals_total', { reason: 'rights' })).toBe(2);
    await until(() => /"tool":"proxmox_stop_container".*"RIGHT_MISSING"/.test(server.stderr));
  });

  test('so is one in a session of 2025; with more scopes its client begins a new one', async () => {
    const read = await issuer.sign(claims());
    const send = await server.session(read);
    expect((await send(read, 'tools/list', {})).status).toBe(200);
    const call = { name: 'proxmox_stop_container', arguments: { vmid: 101 } };
    const response = await send(read, 'tools/call', call);
    expect(response.status).toBe(403);
    expect(challenge(response)).toBe(insufficient());
    const write = await issuer.sign({ ...claims(), scope: 'proxmox:read proxmox:write' });
    expect((await send(write, 'tools/call', call)).status).toBe(404);
    const again = await (await server.session(write))(write, 'tools/call', call);
    expect(await again.text()).toContain('SSH_UNREACHABLE');
  });

  test('a session is worth nothing to somebody else', async () => {
    const alice = await issuer.sign(claims());
    const bob = await issuer.sign({ ...claims(), sub: 'bob' });
    const send = await server.session(alice);
    expect((await send(bob, 'tools/list', {})).status).toBe(404);
    expect((await send(alice, 'tools/list', {})).status).toBe(200);
  });

  test('a token without any of our scopes is good for nothing', async () => {
    const none = await issuer.sign({ ...claims(), scope: 'openid profile' });
    for (const response of [await server.list(none), await server.get('/metrics', none)]) {
      expect(response.status).toBe(403);
      expect(challenge(response)).toContain('error="insufficient_scope"');
      expect(challenge(response)).toContain('scope="proxmox:read proxmox:write proxmox:host"');
    }
  });

  test('scopes may come as `scp`, and in a list; the audience may be one of several', async () => {
    const { scope: _, ...rest } = claims();
    const list = await issuer.sign({
      ...rest,
      aud: ['other', resource],
      scp: ['proxmox:read', 'proxmox:write'],
    });
    expect(await server.toolNames(list)).toHaveLength(7);
    expect(await server.toolNames(await issuer.sign({ ...rest, scp: 'proxmox:read' }))).toHaveLength(2);
  });

  const seconds = () => Math.floor(Date.now() / 1000);
  test.each([
    [
      'is for another audience',
      'another audience',
      () => issuer.sign({ ...claims(), aud: 'http://127.0.0.1:1/mcp' }),
    ],
    [
      'is for an audience that begins alike',
      'another audience',
      () => issuer.sign({ ...claims(), aud: `${resource}2` }),
    ],
    ['has no audience', 'another audience', () => issuer.sign({ ...claims(), aud: undefined })],
    ['is from another issuer', 'another issuer', () => issuer.sign({ ...claims(), iss: `${issuer.url}/` })],
    ['has no issuer', 'another issuer', () => issuer.sign({ ...claims(), iss: undefined })],
    ['has expired', 'has expired', () => issuer.sign({ ...claims(), exp: seconds() - 60 })],
    ['never expires', 'no end of validity', () => issuer.sign({ ...claims(), exp: undefined })],
    ['is not valid yet', 'does not hold', () => issuer.sign({ ...claims(), nbf: seconds() + 60 })],
    ['has no subject', 'no subject', () => issuer.sign({ ...claims(), sub: undefined })],
    ['is bound to a key', 'bound to a key', () => issuer.sign({ ...claims(), cnf: { jkt: 'x' } })],
    ['is of another type', 'no access token', () => issuer.sign(claims(), { typ: 'logout+jwt' })],
    ['names a key that is not there', 'no such key', () => issuer.sign(claims(), { kid: 'third' })],
    ['is not signed', 'algorithm', async () => new UnsecuredJWT(claims()).encode()],
    ['is signed by a stranger under the right name', 'signature', signedByStranger],
    ['is signed with the public key as a shared secret', 'algorithm', signedWithPublicKey],
    ['was changed after it was signed', 'signature', changed],
    ['is no JWT at all', 'malformed', async () => 'aaa.bbb.ccc'],
  ])('a token that %s is refused, and named in no log', async (_what, reason, make) => {
    const token = await make();
    const before = failuresLogged();
    const response = await server.list(token);
    expect(response.status).toBe(401);
    await until(() => failuresLogged() > before);
    expect(challenge(response)).toMatch(/^Bearer error="invalid_token", error_description="[^"\\]+", scope=/);
    expect(challenge(response)).toContain(reason);
    expect(challenge(response)).toContain('/.well-known/oauth-protected-resource/mcp"');
    for (const part of token.split('.').filter((each) => each.length > 20))
      expect(server.stderr).not.toContain(part);
  });

  test('the good one beside which they fail is good', async () => {
    expect((await server.list(await issuer.sign(claims()))).status).toBe(200);
    expect((await server.list(await issuer.sign(claims(), { typ: 'JWT' }))).status).toBe(200);
  });

  async function signedByStranger(): Promise<string> {
    const { privateKey } = await generateKeyPair('RS256');
    return new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(privateKey);
  }

  async function signedWithPublicKey(): Promise<string> {
    const key = await importJWK(issuer.publicJwk, 'RS256', { extractable: true });
    if (key instanceof Uint8Array) throw new Error('no public key');
    const secret = new TextEncoder().encode(await exportSPKI(key));
    return new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
  }

  async function changed(): Promise<string> {
    const [head, , signature] = (await issuer.sign(claims())).split('.');
    const more = Buffer.from(JSON.stringify({ ...claims(), scope: 'proxmox:host' })).toString('base64url');
    return `${head}.${more}.${signature}`;
  }
});

describe('an issuer whose keys change', () => {
  beforeAll(() => start());
  afterAll(stop);

  test('new tokens become good, old ones are so no more once the new keys are known', async () => {
    const old = await issuer.grant(resource, 'proxmox:read');
    expect((await server.list(old)).status).toBe(200);
    await issuer.rotate('second');
    const fresh = await issuer.grant(resource, 'proxmox:read');
    await until(async () => (await server.list(fresh)).status === 200, 15_000);
    expect((await server.list(old)).status).toBe(401);
  });

  test('keys that are made up do not make it fetch each time', async () => {
    const before = issuer.requests.length;
    for (let index = 0; index < 20; index += 1) {
      await server.list(await issuer.sign(claims(), { kid: `made-up-${index}` }));
    }
    expect(issuer.requests.length - before).toBeLessThanOrEqual(2);
  });
});

describe('an issuer that does not answer', () => {
  beforeEach(async () => {
    await start({ HTTP_TOKEN: TOKEN });
    return stop;
  });

  test('is told from a bad token: 503, and the log says what was tried', async () => {
    const good = await issuer.grant(resource, 'proxmox:read');
    issuer.fail();
    const response = await server.list(good);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error_description: expect.stringContaining('issuer of tokens'),
    });
    await until(() => server.stderr.includes('tokens cannot be checked'));
    expect(server.stderr).toContain(`${issuer.url}/.well-known/oauth-authorization-server: status 500`);
    expect(server.stderr).toContain(`${issuer.url}/.well-known/openid-configuration: status 500`);
    expect((await server.list(TOKEN)).status).toBe(200);
    await issuer.rotate('second');
    const fresh = await issuer.grant(resource, 'proxmox:read');
    await until(async () => (await server.list(fresh)).status === 200, 10_000);
  });

  test('does not stop those whose key is known', async () => {
    const good = await issuer.grant(resource, 'proxmox:read');
    expect((await server.list(good)).status).toBe(200);
    issuer.fail();
    await until(async () => {
      const unknown = await issuer.sign(claims(), { kid: 'made-up' });
      return (await server.list(unknown)).status === 503;
    }, 15_000);
    expect((await server.list(good)).status).toBe(200);
  });
});

test('where the settings shut tools, clients are asked for no scopes for them', async () => {
  await start({ READ_ONLY: 'true', OAUTH_SCOPE_PREFIX: 'pve.' });
  try {
    expect(challenge(await server.list())).toContain('scope="pve.read"');
    const shape = z.object({ scopes_supported: z.array(z.string()) });
    const document = await server.get('/.well-known/oauth-protected-resource');
    expect(shape.parse(await document.json()).scopes_supported).toEqual(['pve.read']);
    const token = await issuer.sign({ ...claims(), scope: 'pve.read' });
    // More scopes would not help: said in a result, as to every caller.
    expect((await server.result(token, 'stop_container', { vmid: 101 })).data.code).toBe('READ_ONLY');
  } finally {
    await stop();
  }
});
