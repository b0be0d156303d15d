import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { serverCommand } from '../mcp/client.ts';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { connectOverHttp } from './client.ts';
import { modern } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

const TLS = {
  HTTP_TLS_CERT: fileURLToPath(new URL('../fixtures/tls/cert.pem', import.meta.url)),
  HTTP_TLS_KEY: fileURLToPath(new URL('../fixtures/tls/key.pem', import.meta.url)),
};

/** Runs a start that fails, until the process ends. */
async function failToStart(args: readonly string[], env: Record<string, string> = {}) {
  const { command, args: all } = serverCommand(['--http', ...args]);
  const settings = { SERVER_PORT: '0', ...(await settingsWithoutNode()), ...env };
  const { status, stderr, stdout } = spawnSync(command, all, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...settings },
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stdout).toBe('');
  return { status, stderr };
}

async function withServer(env: Record<string, string>, use: (server: HttpServer) => Promise<void>) {
  const server = await HttpServer.start({ env: { ...(await settingsWithoutNode()), ...env } });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

describe('exposure', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1'])('exits with 2 for --no-auth on %s', async (host) => {
    const { status, stderr } = await failToStart(['--host', host, '--no-auth']);
    expect(status).toBe(2);
    expect(stderr).toContain('--no-auth');
    expect(stderr).toContain('127.0.0.1');
  });

  test('listens on 127.0.0.1 by default, requires a token and warns of nothing', () =>
    withServer({}, async (server) => {
      expect(new URL(server.url).hostname).toBe('127.0.0.1');
      expect((await fetch(server.url, { method: 'POST' })).status).toBe(401);
      expect(server.stderr).not.toContain('WARNING');
    }));

  test('accepts any local caller with --no-auth on loopback, with a warning', () =>
    withServer({ HTTP_AUTH: 'false', HTTP_TOKEN: '' }, async (server) => {
      const { headers, ...rest } = modern('tools/list');
      const response = await fetch(server.url, { ...rest, headers: { ...headers, Authorization: '' } });
      expect(response.status).toBe(200);
      expect(server.stderr).toContain('WARNING: no authentication');
    }));

  test('serves without TLS on other addresses, with a warning', () =>
    withServer({ SERVER_HOST: '0.0.0.0' }, async (server) => {
      expect(server.stderr).toMatch(/WARNING: no TLS.*HTTP_TLS_CERT.*--behind-proxy/s);
      expect((await fetch(`http://127.0.0.1:${server.port}/health`)).status).toBe(200);
    }));

  test('does not warn behind a proxy', () =>
    withServer({ SERVER_HOST: '0.0.0.0', BEHIND_PROXY: 'true' }, async (server) => {
      expect(server.stderr).not.toContain('WARNING');
    }));

  test('serves HTTPS only with TLS', () =>
    withServer({ SERVER_HOST: '0.0.0.0', ...TLS }, async (server) => {
      expect(server.stderr).not.toContain('WARNING');
      expect(server.url).toMatch(/^https:/);
      const status = await new Promise((resolve, reject) => {
        const ca = readFileSync(TLS.HTTP_TLS_CERT);
        const sent = request({ host: 'localhost', port: server.port, path: '/health', ca }, (response) =>
          resolve(response.statusCode),
        );
        sent.on('error', reject);
        sent.end();
      });
      expect(status).toBe(200);
      await expect(fetch(`http://127.0.0.1:${server.port}/health`)).rejects.toThrow();
    }));
});

test('demo --serve --http serves the simulated node and ignores HOST', async () => {
  const server = await HttpServer.start({ env: { HOST: '192.0.2.1' }, args: ['demo', '--serve'] });
  const client = await connectOverHttp({ url: server.url, token: TOKEN });
  try {
    const { data } = await client.callTool('proxmox_container_status', { vmid: 101 });
    expect(data).toMatchObject({ vmid: 101, name: 'web', status: 'running' });
  } finally {
    await client.close();
    expect(await server.stop()).toBe(0);
  }
});

describe('a failed start', () => {
  test('exits with 2 for a certificate without its key', async () => {
    const { status, stderr } = await failToStart([], { HTTP_TLS_CERT: TLS.HTTP_TLS_CERT });
    expect(status).toBe(2);
    expect(stderr).toContain('HTTP_TLS_KEY is not');
  });

  test('exits with 2 for an invalid certificate', async () => {
    const { status, stderr } = await failToStart([], {
      ...TLS,
      HTTP_TLS_CERT: TLS.HTTP_TLS_KEY,
      HTTP_TOKEN: TOKEN,
    });
    expect(status).toBe(2);
    expect(stderr).toContain('HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used');
  });

  test.each([
    [['--allowed-hosts', 'https://x.example.com'], 'ALLOWED_HOSTS'],
    [['--allowed-origins', 'x.example.com'], 'ALLOWED_ORIGINS'],
    [['--allowed-origins', 'https://*.example.com'], 'ALLOWED_ORIGINS'],
    [['--port', '65536'], '--port'],
    [['--state-dir', '/dev/null/state'], '/dev/null'],
    [['--transfer-dirs', '/dev/null/files'], '--transfer-dirs'],
  ])('exits with 2 for %j', async (args, named) => {
    const { status, stderr } = await failToStart(args);
    expect(status).toBe(2);
    expect(stderr).toContain(named);
  });

  test('exits with 1 for a port in use and for an address of another machine', () =>
    withServer({}, async ({ port }) => {
      const env = { HTTP_TOKEN: TOKEN };
      const taken = await failToStart(['--port', String(port)], env);
      expect(taken.status).toBe(1);
      expect(taken.stderr).toContain(`port ${port}: the port is already in use`);
      const foreign = await failToStart(['--host', '192.0.2.1'], env);
      expect(foreign.status).toBe(1);
      expect(foreign.stderr).toContain('this machine does not have that address');
    }));
});
