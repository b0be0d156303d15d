import { describe, expect, test } from 'vitest';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { headersOf, openSession, useSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

const OTHER = 'another-token-of-the-tests-0123456789abcdef';

async function withServer(env: Record<string, string>, use: (server: HttpServer) => Promise<void>) {
  const tokens = { HTTP_TOKENS: `guest read,write,host ${OTHER}` };
  const server = await HttpServer.start({ env: { ...(await settingsWithoutNode()), ...tokens, ...env } });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

describe('sessions of 2025', () => {
  test('are not found for other callers', () =>
    withServer({}, async ({ url }) => {
      const { id } = await openSession(url);
      expect(await useSession(url, id)).toBe(200);
      expect(await useSession(url, id, OTHER)).toBe(404);
      const stream = await fetch(url, {
        headers: headersOf({ Authorization: `Bearer ${OTHER}`, 'Mcp-Session-Id': id }),
      });
      expect(stream.status).toBe(404);
      const ended = await fetch(url, {
        method: 'DELETE',
        headers: headersOf({ Authorization: `Bearer ${OTHER}`, 'Mcp-Session-Id': id }),
      });
      expect(ended.status).toBe(404);
      expect(await useSession(url, id)).toBe(200);
    }));

  test('are not found (404) with an unknown ID, and after their client ended them', () =>
    withServer({}, async ({ url }) => {
      expect(await useSession(url, crypto.randomUUID())).toBe(404);
      const { id } = await openSession(url);
      const ended = await fetch(url, { method: 'DELETE', headers: headersOf({ 'Mcp-Session-Id': id }) });
      expect(ended.status).toBe(200);
      expect(await useSession(url, id)).toBe(404);
    }));

  test('expire after SESSION_IDLE, unless a stream is open', () =>
    withServer({ SESSION_IDLE: '1' }, async ({ url }) => {
      const listening = await openSession(url);
      const controller = new AbortController();
      const stream = await fetch(url, {
        headers: headersOf({ 'Mcp-Session-Id': listening.id }),
        signal: controller.signal,
      });
      expect(stream.status).toBe(200);
      const unused = await openSession(url);
      // A request would count as use of the session, so the test reads the metric.
      await until(async () => (await countSessions(url)) === 1);
      expect(await useSession(url, unused.id)).toBe(404);
      expect(await useSession(url, listening.id)).toBe(200);
      controller.abort();
    }));

  test('are capped: the caller with the most sessions loses the least recently used one', () =>
    withServer({ MAX_SESSIONS: '3' }, async ({ url }) => {
      const guest = await openSession(url, OTHER);
      const first = await openSession(url);
      const second = await openSession(url);
      expect(await useSession(url, first.id)).toBe(200);
      const third = await openSession(url);
      expect(third.status).toBe(200);
      expect(await useSession(url, second.id)).toBe(404);
      expect(await useSession(url, guest.id, OTHER)).toBe(200);
      expect(await useSession(url, first.id)).toBe(200);
      expect(await useSession(url, third.id)).toBe(200);
    }));

  test('are refused with 503 when all are in use', () =>
    withServer({ MAX_SESSIONS: '1' }, async ({ url }) => {
      const { id } = await openSession(url);
      const controller = new AbortController();
      const stream = await fetch(url, {
        headers: headersOf({ 'Mcp-Session-Id': id }),
        signal: controller.signal,
      });
      expect(stream.status).toBe(200);
      expect((await openSession(url, OTHER)).status).toBe(503);
      controller.abort();
      await until(async () => (await openSession(url, OTHER)).status === 200);
    }));
});

async function countSessions(url: string): Promise<number> {
  const metrics = await fetch(new URL('/metrics', url), {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  return Number(/^proxmox_mcp_sessions (\d+)$/m.exec(await metrics.text())?.[1]);
}
