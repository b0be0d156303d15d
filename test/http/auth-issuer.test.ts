import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { AuthServer } from './auth-server.ts';
import { TestIssuer } from './issuer.ts';
import { OAuthPair } from './oauth-pair.ts';

const TOKEN = 'a-token-that-works-beside-the-issuer-0123';

let pair: OAuthPair;

describe('an issuer that rotates its keys', () => {
  beforeAll(async () => {
    pair = await OAuthPair.start();
  });
  afterAll(() => pair.stop());

  test('has its new tokens accepted, and its old ones rejected once the new keys are known', async () => {
    const old = await pair.issuer.grant(pair.resource, 'proxmox:read');
    expect((await pair.server.list(old)).status).toBe(200);
    await pair.issuer.rotate('second');
    const fresh = await pair.issuer.grant(pair.resource, 'proxmox:read');
    await until(async () => (await pair.server.list(fresh)).status === 200);
    expect((await pair.server.list(old)).status).toBe(401);
  });

  test('is not requested again for every unknown key ID', async () => {
    const before = pair.issuer.requests.length;
    for (let index = 0; index < 20; index += 1) {
      await pair.server.list(await pair.issuer.sign(pair.claims(), { kid: `made-up-${index}` }));
    }
    expect(pair.issuer.requests.length - before).toBeLessThanOrEqual(2);
  });
});

describe('an unavailable issuer', () => {
  beforeEach(async () => {
    pair = await OAuthPair.start({ HTTP_TOKEN: TOKEN });
    return () => pair.stop();
  });

  test('causes 503 instead of 401, and is logged with the requested URLs', async () => {
    const good = await pair.issuer.grant(pair.resource, 'proxmox:read');
    pair.issuer.fail();
    const response = await pair.server.list(good);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error_description: expect.stringContaining('token issuer'),
    });
    await until(() => pair.server.stderr.includes('tokens cannot be verified'));
    expect(pair.server.stderr).toContain(
      `${pair.issuer.url}/.well-known/oauth-authorization-server: status 500`,
    );
    expect(pair.server.stderr).toContain(`${pair.issuer.url}/.well-known/openid-configuration: status 500`);
    expect((await pair.server.list(TOKEN)).status).toBe(200);
    await pair.issuer.rotate('second');
    const fresh = await pair.issuer.grant(pair.resource, 'proxmox:read');
    await until(async () => (await pair.server.list(fresh)).status === 200);
  });

  test('does not affect tokens whose key is known', async () => {
    const good = await pair.issuer.grant(pair.resource, 'proxmox:read');
    expect((await pair.server.list(good)).status).toBe(200);
    pair.issuer.fail();
    await until(async () => {
      const unknown = await pair.issuer.sign(pair.claims(), { kid: 'made-up' });
      return (await pair.server.list(unknown)).status === 503;
    });
    expect((await pair.server.list(good)).status).toBe(200);
  });
});

test('rejects an issuer whose metadata states another name, and logs the reason', async () => {
  const issuer = await TestIssuer.start();
  const name = `${issuer.url}/`;
  const audience = 'http://127.0.0.1:8000/mcp';
  const settings = await settingsWithoutNode();
  const server = await AuthServer.start({ ...settings, OAUTH_ISSUER: name, OAUTH_AUDIENCE: audience });
  try {
    const token = await issuer.sign({ iss: name, aud: audience, sub: 'alice', exp: Date.now() / 1000 + 300 });
    expect((await server.list(token)).status).toBe(503);
    await until(() => server.stderr.includes('its issuer is not exactly OAUTH_ISSUER'));
  } finally {
    await server.stop();
    await issuer.stop();
  }
});
