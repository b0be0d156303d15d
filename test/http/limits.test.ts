import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { settingsWithoutNode, silentNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { headersOf, messageOf, modern } from './requests.ts';
import { HttpServer } from './server.ts';

const LIST = { name: 'proxmox_list_containers', arguments: {} };

describe('limits', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  async function start(env: Record<string, string>): Promise<HttpServer> {
    const server = await HttpServer.start({ env: { ...(await settingsWithoutNode()), ...env } });
    cleanups.push(() => server.stop());
    return server;
  }
  /** A client that connects and sends only this text; reports whether the server has closed the connection. */
  async function slowClient({ port }: HttpServer, sent: string) {
    const socket: Socket = connect(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    const state = { closed: false, received: '' };
    socket.on('data', (chunk) => {
      state.received += String(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      state.closed = true;
    });
    await once(socket, 'connect');
    socket.write(sent);
    return { socket, state };
  }
  const healthy = async (server: HttpServer) => (await fetch(server.at('/health'))).status;

  test('MAX_CONCURRENT: 503 with Retry-After until a call ends', async () => {
    const node = await silentNode();
    cleanups.push(() => node.close());
    const server = await start({ SSH_PORT: String(node.port), MAX_CONCURRENT: '2' });
    const controller = new AbortController();
    const running = [1, 2].map(() =>
      fetch(server.url, { ...modern('tools/call', LIST), signal: controller.signal }).catch(() => {}),
    );
    const call = () =>
      fetch(server.url, { ...modern('tools/call', LIST), signal: AbortSignal.timeout(30_000) });
    let refused: Response | undefined;
    await until(async () => {
      // An accepted call would wait for the node: the test waits only for the refusal.
      const response = await call();
      if (response.status === 503) refused = response;
      else await response.body?.cancel();
      return refused !== undefined;
    });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(await messageOf(refused ?? new Response())).toContain('MAX_CONCURRENT');
    // Requests that are not calls continue.
    expect((await fetch(server.url, modern('tools/list'))).status).toBe(200);
    expect(await healthy(server)).toBe(200);
    controller.abort();
    await Promise.all(running);
    await until(async () => {
      const response = await call();
      await response.body?.cancel();
      return response.status === 200;
    });
  });

  test.each([
    ['nothing', ''],
    ['half of its headers', 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-'],
    ['half of its body', `${rawHead(100)}{"jsonrpc"`],
  ])(
    'REQUEST_TIMEOUT: closes the connection of a client that sends %s, without affecting others',
    async (_name, sent) => {
      const server = await start({ REQUEST_TIMEOUT: '1' });
      const { state } = await slowClient(server, sent);
      expect(await healthy(server)).toBe(200);
      await until(() => state.closed);
      expect(await healthy(server)).toBe(200);
      expect((await fetch(server.url, modern('tools/list'))).status).toBe(200);
    },
  );

  test('MAX_CONNECTIONS: closes idle connections for new ones', async () => {
    const server = await start({ MAX_CONNECTIONS: '4' });
    const idle: Awaited<ReturnType<typeof slowClient>>[] = [];
    for (let i = 0; i < 12; i += 1) idle.push(await slowClient(server, i % 2 === 0 ? '' : 'GET /health HTT'));
    expect(await healthy(server)).toBe(200);
    await until(() => idle.filter(({ state }) => state.closed).length >= 8);
    // Connections with a pending answer are kept.
    const { socket, state } = await slowClient(server, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => state.received.includes('healthy'));
    socket.destroy();
  });

  test('MAX_CONNECTIONS: keeps a connection with a running call', async () => {
    const node = await silentNode();
    cleanups.push(() => node.close());
    const server = await start({ SSH_PORT: String(node.port), MAX_CONNECTIONS: '2' });
    const controller = new AbortController();
    cleanups.push(() => controller.abort());
    let ended = false;
    const call = fetch(server.url, { ...modern('tools/call', LIST), signal: controller.signal });
    void call
      .then(
        async (response) => response.text().catch(() => {}),
        () => {},
      )
      .then(() => {
        ended = true;
      });
    expect((await call).status).toBe(200);
    for (let i = 0; i < 6; i += 1) await slowClient(server, '');
    expect(await healthy(server)).toBe(200);
    expect(ended).toBe(false);
  });
});

function rawHead(length: number): string {
  const headers = { Host: 'localhost', 'Content-Length': String(length), ...headersOf() };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n`;
}
