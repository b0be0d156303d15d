import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { headersOf, INITIALIZE, legacy, modern, openSession, useSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

/** Deviations of clients from the protocol that are accepted. */
describe('nonconforming clients', () => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await HttpServer.start({ env: await settingsWithoutNode() });
  });
  afterAll(() => server.stop());

  interface Answer {
    readonly status: number;
    readonly type: string;
    readonly text: string;
    readonly session: string;
  }

  /** A raw request, because fetch adds an Accept header. */
  function post(path: string, body: string, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const asked = request({ hostname, port, path, method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const { 'content-type': type = '', 'mcp-session-id': session } = response.headers;
          resolve({ status: response.statusCode ?? 0, type, text, session: String(session ?? '') });
        });
      });
      asked.on('error', reject).end(body);
    });
  }

  const headersWith = (accept: string | undefined, more: Record<string, string> = {}) => {
    const { Accept: _, ...headers } = headersOf(more);
    return accept === undefined ? headers : { ...headers, Accept: accept };
  };

  const dataOf = (text: string): unknown[] =>
    text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));

  describe('Accept', () => {
    test.each([[undefined], ['*/*'], ['application/json'], ['application/json, text/plain, */*']])(
      '%s: JSON in both protocol eras, also for calls',
      async (accept) => {
        const begun = await post('/mcp', legacy(INITIALIZE).body, headersWith(accept));
        expect(begun).toMatchObject({ status: 200, type: expect.stringContaining('application/json') });
        expect(JSON.parse(begun.text)).toMatchObject({ id: 0, result: { serverInfo: {} } });
        const session = { 'Mcp-Session-Id': begun.session };
        const call = { name: 'proxmox_list_containers', arguments: {} };
        const asked = legacy({
          id: 1,
          method: 'tools/call',
          params: { ...call, _meta: { progressToken: 1 } },
        });
        const called = await post('/mcp', asked.body, headersWith(accept, session));
        expect(called.type).toContain('application/json');
        expect(JSON.parse(called.text)).toMatchObject({
          id: 1,
          result: { structuredContent: { code: 'SSH_UNREACHABLE' } },
        });
        const now = modern('tools/call', call);
        const { Accept: _, ...headers } = now.headers;
        const answered = await post(
          '/mcp',
          now.body,
          accept === undefined ? headers : { ...headers, Accept: accept },
        );
        expect(answered.type).toContain('application/json');
        expect(JSON.parse(answered.text)).toMatchObject({
          result: { structuredContent: { code: 'SSH_UNREACHABLE' } },
        });
      },
    );

    test('text/event-stream only: a stream in both eras', async () => {
      const begun = await post('/mcp', legacy(INITIALIZE).body, headersWith('text/event-stream'));
      expect(begun).toMatchObject({ status: 200, type: 'text/event-stream' });
      expect(dataOf(begun.text)).toMatchObject([{ id: 0, result: { serverInfo: {} } }]);
      const now = modern('tools/list', {}, { Accept: 'text/event-stream' });
      const listed = await post('/mcp', now.body, now.headers);
      expect(listed).toMatchObject({ status: 200, type: 'text/event-stream' });
      expect(dataOf(listed.text)).toMatchObject([{ result: { tools: expect.any(Array) } }]);
    });

    test('a batch: a list of responses', async () => {
      const { id } = await openSession(server.url);
      const batch = [1, 2].map((each) => ({ jsonrpc: '2.0', id: each, method: 'ping' }));
      const headers = headersWith('application/json', { 'Mcp-Session-Id': id });
      const { text } = await post('/mcp', JSON.stringify(batch), headers);
      expect(JSON.parse(text)).toMatchObject([{ id: 1 }, { id: 2 }]);
    });

    test('a notification: no response body', async () => {
      const { id } = await openSession(server.url);
      const told = legacy({ method: 'notifications/initialized' });
      const headers = headersWith('application/json', { 'Mcp-Session-Id': id });
      expect(await post('/mcp', told.body, headers)).toMatchObject({ status: 202, text: '' });
    });

    test('an unsupported type: 406', async () => {
      expect(await post('/mcp', legacy(INITIALIZE).body, headersWith('text/html'))).toMatchObject({
        status: 406,
      });
    });

    test('*/*: the stream of a session', async () => {
      const { id } = await openSession(server.url);
      const controller = new AbortController();
      const headers = headersOf({ 'Mcp-Session-Id': id, Accept: '*/*' });
      const stream = await fetch(server.url, { headers, signal: controller.signal });
      expect(stream).toMatchObject({ status: 200 });
      expect(stream.headers.get('content-type')).toBe('text/event-stream');
      controller.abort();
    });
  });

  test.each(['/mcp/', '/mcp//', '//mcp'])('treats %s as /mcp, without a redirect', async (path) => {
    const begun = await post(path, legacy(INITIALIZE).body, headersOf());
    expect(begun.status).toBe(200);
    expect((await post(path, '{}', {})).status).toBe(401);
    expect(await post('/mcp/tools', legacy(INITIALIZE).body, headersOf())).toMatchObject({ status: 404 });
  });

  test('serves health and metrics with a trailing slash', async () => {
    expect((await fetch(server.at('/health/'))).status).toBe(200);
    expect((await fetch(server.at('/metrics/'), { headers: headersOf() })).status).toBe(200);
    expect((await fetch(server.at('/metrics/'))).status).toBe(401);
  });

  test('treats null as no arguments in both eras', async () => {
    const called = { result: { structuredContent: { code: 'SSH_UNREACHABLE' } } };
    const params = { name: 'proxmox_list_containers', arguments: null };
    const now = modern('tools/call', params, { Accept: 'application/json' });
    expect(JSON.parse((await post('/mcp', now.body, now.headers)).text)).toMatchObject(called);
    const { id } = await openSession(server.url);
    const before = legacy({ id: 1, method: 'tools/call', params });
    const headers = headersWith('application/json', { 'Mcp-Session-Id': id });
    expect(JSON.parse((await post('/mcp', before.body, headers)).text)).toMatchObject(called);
  });

  test('starts a session on initialize whatever its session ID, and answers other requests with an unknown ID by 404', async () => {
    const mine = await openSession(server.url);
    for (const stale of [crypto.randomUUID(), mine.id, '']) {
      const response = await fetch(server.url, legacy(INITIALIZE, { 'Mcp-Session-Id': stale }));
      await response.text();
      expect(response.status).toBe(200);
      const id = response.headers.get('mcp-session-id') ?? '';
      expect(id).not.toBe('');
      expect(id).not.toBe(stale);
      expect(await useSession(server.url, id, TOKEN)).toBe(200);
    }
    expect(await useSession(server.url, mine.id)).toBe(200);
    expect(await useSession(server.url, crypto.randomUUID())).toBe(404);
  });
});
