import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { headersOf, messageOf, modern, openSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

describe('responses before a call', () => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await HttpServer.start({
      env: {
        ...(await settingsWithoutNode()),
        ALLOWED_HOSTS: 'mcp.example.com,[2001:db8::1]',
        ALLOWED_ORIGINS: 'https://chat.example.com',
      },
    });
  });
  afterAll(() => server.stop());

  test('200: a request with the token', async () => {
    const response = await fetch(server.url, modern('tools/list'));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('proxmox_list_containers');
  });

  test.each([
    ['no token', {}],
    ['another token', { Authorization: 'Bearer another' }],
    ['the token as a password', { Authorization: `Basic ${btoa(`x:${TOKEN}`)}` }],
  ])('401: %s, on every path except /health', async (_name, headers) => {
    for (const [path, method] of [
      ['/mcp', 'POST'],
      ['/mcp', 'GET'],
      ['/mcp', 'DELETE'],
      ['/metrics', 'GET'],
    ] as const) {
      const response = await fetch(server.at(path), { method, headers });
      expect([path, method, response.status]).toEqual([path, method, 401]);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await response.text()).not.toContain(TOKEN);
    }
    expect((await fetch(server.at('/health'), { headers })).status).toBe(200);
  });

  test.each([
    'evil.example.com',
    'evil.example.com:80',
    '127.0.0.1.evil.example.com',
    'localhost.evil.example.com',
    '192.0.2.1',
    '0.0.0.0',
  ])('421: Host %s, with the name of the setting', async (host) => {
    for (const path of ['/mcp', '/health', '/metrics', '/.well-known/oauth-protected-resource']) {
      const { status, body } = await withHost(server.port, path, host);
      expect([path, status]).toEqual([path, 421]);
      expect(body).toContain('ALLOWED_HOSTS');
    }
  });

  test('400: an invalid Host', async () => {
    expect((await withHost(server.port, '/health', 'localhost@evil.example.com')).status).toBe(400);
  });

  test.each([
    'localhost',
    '127.0.0.1:1',
    '[::1]:8000',
    'MCP.example.com',
    'mcp.example.com:443',
    '[2001:DB8::1]',
  ])('200: Host %s', async (host) => {
    expect((await withHost(server.port, '/health', host)).status).toBe(200);
  });

  test.each([
    'https://evil.example.com',
    'http://chat.example.com',
    'https://chat.example.com:8443',
    'https://chat.example.com.evil.example.com',
    'http://localhost.evil.example.com',
    'null',
    'file://',
  ])('403: Origin %s, with the name of the setting', async (origin) => {
    const response = await fetch(server.url, modern('tools/list', {}, { Origin: origin }));
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(await messageOf(response)).toContain('ALLOWED_ORIGINS');
  });

  test.each(['https://chat.example.com', 'http://localhost:6274', 'http://127.0.0.1:3000'])(
    '200: Origin %s',
    async (origin) => {
      const asked = await fetch(server.url, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,mcp-session-id',
        },
      });
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
      const response = await fetch(server.url, modern('tools/list', {}, { Origin: origin }));
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    },
  );

  test('413: a body of more than 1 MiB, with and without a declared length', async () => {
    const large = 'x'.repeat(1024 * 1024 + 1);
    const declared = await fetch(server.url, { method: 'POST', headers: headersOf(), body: large });
    expect(declared.status).toBe(413);
    const body = new Blob([large]).stream();
    const streamed = await fetch(server.url, { method: 'POST', headers: headersOf(), body, duplex: 'half' });
    expect(streamed.status).toBe(413);
    expect(await messageOf(streamed)).toContain('1,048,576 bytes');
  });

  test('401 is sent before the body is read', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request({
        port: server.port,
        path: '/mcp',
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': '1000' },
      });
      sent.on('response', (response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on('error', reject);
      sent.write('{');
    });
    expect(status).toBe(401);
  });

  test.each([
    ['another type', 415, { 'Content-Type': 'text/plain' }, '{}'],
    ['invalid JSON', 400, {}, '{'],
    ['JSON that is not a message', 400, {}, '[1]'],
    ['a session request without the session ID', 400, {}, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'],
    ['headers of more than 16 KiB', 431, { 'X-Long': 'x'.repeat(17_000) }, '{}'],
  ])('%s: %i', async (_name, status, headers, body) => {
    const response = await fetch(server.url, { method: 'POST', headers: headersOf(headers), body });
    expect(response.status).toBe(status);
  });

  test('404: an unknown path', async () => {
    const response = await fetch(server.at('/sse'), { headers: headersOf() });
    expect(response.status).toBe(404);
    expect(await messageOf(response)).toContain('/mcp');
  });

  test('metrics count refusals', async () => {
    const metrics = await (await fetch(server.at('/metrics'), { headers: headersOf() })).text();
    for (const reason of ['unauthenticated', 'host', 'origin', 'too_large', 'bad_request']) {
      expect(metrics).toMatch(new RegExp(`refusals_total\\{reason="${reason}"\\} [1-9]`));
    }
  });
});

test('429: more than RATE_LIMIT requests a minute of one caller, without affecting another', async () => {
  const other = 'another-token-of-the-tests-0123456789abcdef';
  const server = await HttpServer.start({
    env: { ...(await settingsWithoutNode()), RATE_LIMIT: '5', HTTP_TOKENS: `guest read ${other}` },
  });
  try {
    const ask = (token: string) =>
      fetch(server.url, modern('tools/list', {}, { Authorization: `Bearer ${token}` }));
    for (let i = 0; i < 5; i += 1) expect((await ask(TOKEN)).status).toBe(200);
    const refused = await ask(TOKEN);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await messageOf(refused)).toContain('RATE_LIMIT');
    expect((await ask(other)).status).toBe(200);
    // A batch of a client of 2025-03-26 counts as its single messages.
    const { id } = await openSession(server.url, other);
    const many = JSON.stringify(
      Array.from({ length: 4 }, (_, each) => ({ jsonrpc: '2.0', id: each, method: 'tools/list' })),
    );
    const headers = headersOf({ Authorization: `Bearer ${other}`, 'Mcp-Session-Id': id });
    expect((await fetch(server.url, { method: 'POST', headers, body: many })).status).toBe(429);
  } finally {
    await server.stop();
  }
});

/** fetch sets the Host header itself. */
function withHost(port: number, path: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, headers: { ...headersOf(), Host: host } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}
