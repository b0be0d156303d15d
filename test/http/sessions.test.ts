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
  test('belong to the caller that began them: to others they are not there', () =>
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

  test('404: an id that never was, and one whose session was ended by its client', () =>
    withServer({}, async ({ url }) => {
      expect(await useSession(url, crypto.randomUUID())).toBe(404);
      const { id } = await openSession(url);
      const ended = await fetch(url, { method: 'DELETE', headers: headersOf({ 'Mcp-Session-Id': id }) });
      expect(ended.status).toBe(200);
      expect(await useSession(url, id)).toBe(404);
    }));

  test('end when they are unused for SESSION_IDLE, but not while a stream is open', () =>
    withServer({ SESSION_IDLE: '1' }, async ({ url }) => {
      const listening = await openSession(url);
      const controller = new AbortController();
      const stream = await fetch(url, {
        headers: headersOf({ 'Mcp-Session-Id': listening.id }),
        signal: controller.signal,
      });
      expect(stream.status).toBe(200);
      const unused = await openSession(url);
      // Asking for it would be using it: the count tells.
      await until(async () => (await countSessions(url)) === 1, 10_000);
      expect(await useSession(url, unused.id)).toBe(404);
      expect(await useSession(url, listening.id)).toBe(200);
      controller.abort();
    }));

  test('are capped: the caller who has most loses the one that is unused for longest', () =>
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

  test('503 when all of them are in use', () =>
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
