import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { TOOLS } from '../../src/tools/index.ts';
import { toolNames, toolsWithEffect } from '../mcp/tool-names.ts';
import { until } from '../rig/until.ts';
import { CLIENT } from './issuer.ts';
import { challengeOf, OAuthPair } from './oauth-pair.ts';

const TOKEN = 'a-token-that-works-beside-the-issuer-0123';

let pair: OAuthPair;
beforeAll(async () => {
  pair = await OAuthPair.start({ HTTP_TOKEN: TOKEN, ENABLE_HOST_EXEC: 'true', LOG_LEVEL: 'trace' });
});
afterAll(() => pair.stop());
test('publishes its metadata to a client without a token', async () => {
  const refused = await pair.server.list();
  expect(refused.status).toBe(401);
  const metadataUrl = `${pair.server.origin}/.well-known/oauth-protected-resource/mcp`;
  expect(challengeOf(refused)).toBe(
    `Bearer scope="proxmox:read proxmox:write proxmox:host", resource_metadata="${metadataUrl}"`,
  );
  for (const url of [metadataUrl, `${pair.server.origin}/.well-known/oauth-protected-resource`]) {
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toEqual({
      resource: pair.resource,
      authorization_servers: [pair.issuer.url],
      scopes_supported: ['proxmox:read', 'proxmox:write', 'proxmox:host'],
      bearer_methods_supported: ['header'],
      resource_name: 'Proxmox VE containers',
    });
  }
  expect((await fetch(metadataUrl, { method: 'DELETE' })).status).toBe(405);
  expect((await pair.server.get('/.well-known/oauth-protected-resource/other')).status).toBe(404);
});

test.each(['auto', 'legacy'] as const)(
  'authenticates an official client through discovery (%s)',
  async (mode) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    const authProvider = new ClientCredentialsProvider({
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      expectedIssuer: pair.issuer.url,
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(pair.resource), { authProvider }));
    expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
    await client.close();
  },
);

test('grants the permissions of the scopes of a token', async () => {
  const read = await pair.issuer.grant(pair.resource, 'proxmox:read');
  expect((await pair.server.toolNames(read)).sort()).toEqual(toolsWithEffect('read').sort());
  const write = await pair.issuer.grant(pair.resource, 'proxmox:write');
  expect(await pair.server.toolNames(write)).toEqual(toolNames(({ target }) => target !== 'host'));
  const all = await pair.issuer.grant(pair.resource, 'proxmox:read proxmox:write proxmox:host');
  expect(await pair.server.toolNames(all)).toHaveLength(TOOLS.length);
  expect((await pair.server.result(all, 'host_exec_command', { command: 'id' })).data.code).toBe(
    'SSH_UNREACHABLE',
  );
});

test('accepts static tokens without the issuer', async () => {
  expect((await pair.server.list(TOKEN)).status).toBe(200);
});

const insufficient = () =>
  'Bearer error="insufficient_scope", error_description="The call needs the permission write", scope="proxmox:write", ' +
  `resource_metadata="${pair.server.origin}/.well-known/oauth-protected-resource/mcp"`;

test('answers a call beyond the scopes with the required scope, logs and counts it', async () => {
  const read = await pair.issuer.grant(pair.resource, 'proxmox:read');
  const response = await pair.server.call(read, 'stop_container', { vmid: 101 });
  expect(response.status).toBe(403);
  expect(challengeOf(response)).toBe(insufficient());
  expect(challengeOf(await pair.server.call(read, 'host_exec_command', { command: 'id' }))).toContain(
    '"proxmox:host"',
  );
  expect(await pair.server.metric(TOKEN, 'proxmox_mcp_refusals_total', { reason: 'permission' })).toBe(2);
  await until(() => /"tool":"proxmox_stop_container".*"RIGHT_MISSING"/.test(pair.server.stderr));
  await until(async () =>
    /"caller":"oauth:assistant".*"tool":"proxmox_stop_container".*"RIGHT_MISSING"/.test(await recordOf(pair)),
  );
});

test('answers such a call in a 2025 session, whose client starts a new one with more scopes', async () => {
  const read = await pair.issuer.sign(pair.claims());
  const send = await pair.server.session(read);
  expect((await send(read, 'tools/list', {})).status).toBe(200);
  const call = { name: 'proxmox_stop_container', arguments: { vmid: 101 } };
  const response = await send(read, 'tools/call', call);
  expect(response.status).toBe(403);
  expect(challengeOf(response)).toBe(insufficient());
  const write = await pair.issuer.sign({ ...pair.claims(), scope: 'proxmox:read proxmox:write' });
  expect((await send(write, 'tools/call', call)).status).toBe(404);
  const again = await (await pair.server.session(write))(write, 'tools/call', call);
  expect(await again.text()).toContain('SSH_UNREACHABLE');
});

test('rejects the session ID of another caller', async () => {
  const alice = await pair.issuer.sign(pair.claims());
  const bob = await pair.issuer.sign({ ...pair.claims(), sub: 'bob' });
  const send = await pair.server.session(alice);
  expect((await send(bob, 'tools/list', {})).status).toBe(404);
  expect((await send(alice, 'tools/list', {})).status).toBe(200);
});

test('rejects a token without a known scope', async () => {
  const none = await pair.issuer.sign({ ...pair.claims(), scope: 'openid profile' });
  for (const response of [await pair.server.list(none), await pair.server.get('/metrics', none)]) {
    expect(response.status).toBe(403);
    expect(challengeOf(response)).toContain('error="insufficient_scope"');
    expect(challengeOf(response)).toContain('scope="proxmox:read proxmox:write proxmox:host"');
  }
});

test('accepts scopes in `scp` and in a list, and one of several audiences', async () => {
  const { scope: _, ...rest } = pair.claims();
  const list = await pair.issuer.sign({
    ...rest,
    aud: ['other', pair.resource],
    scp: ['proxmox:read', 'proxmox:write'],
  });
  expect(await pair.server.toolNames(list)).toEqual(toolNames(({ target }) => target !== 'host'));
  const reading = await pair.issuer.sign({ ...rest, scp: 'proxmox:read' });
  expect(await pair.server.toolNames(reading)).toEqual(toolsWithEffect('read'));
});

test('does not advertise scopes for tools that settings disable', async () => {
  const shut = await OAuthPair.start({ READ_ONLY: 'true', OAUTH_SCOPE_PREFIX: 'pve.' });
  try {
    expect(challengeOf(await shut.server.list())).toContain('scope="pve.read"');
    const shape = z.object({ scopes_supported: z.array(z.string()) });
    const document = await shut.server.get('/.well-known/oauth-protected-resource');
    expect(shape.parse(await document.json()).scopes_supported).toEqual(['pve.read']);
    const token = await shut.issuer.sign({ ...shut.claims(), scope: 'pve.read' });
    // More scopes would not help, so the answer is a result, as for every caller.
    expect((await shut.server.result(token, 'stop_container', { vmid: 101 })).data.code).toBe('READ_ONLY');
  } finally {
    await shut.stop();
  }
});

test('matches policy rules by the subject of a token', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'policy-of-callers-'));
  const file = path.join(dir, 'policy.yaml');
  const match = '{caller: "oauth:alice", tool: container_status}';
  await writeFile(
    file,
    `rules:\n  - {rule: not alice, match: ${match}, outcome: deny}\n  - {rule: the rest, outcome: allow}\n`,
  );
  const ruled = await OAuthPair.start({ POLICY_FILE: file });
  try {
    const alice = await ruled.issuer.sign(ruled.claims());
    const bob = await ruled.issuer.sign({ ...ruled.claims(), sub: 'bob' });
    expect(await ruled.server.toolNames(alice)).toEqual(
      toolsWithEffect('read').filter((name) => name !== 'container_status'),
    );
    expect((await ruled.server.toolNames(bob)).sort()).toEqual(toolsWithEffect('read').sort());
  } finally {
    await ruled.stop();
    await rm(dir, { recursive: true });
  }
});

/** Everything in the audit log of the server. */
async function recordOf({ server }: OAuthPair): Promise<string> {
  const dir = path.join(server.dir, 'state', 'audit');
  const files = await readdir(dir);
  return (await Promise.all(files.map((file) => readFile(path.join(dir, file), 'utf8')))).join('');
}
