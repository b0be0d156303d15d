import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { freshDir } from '../audit/records.ts';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { headersOf, modern, openSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

const OPEN = 'default: allow\n';
const DENY = 'default: allow\nrules: [{rule: closed, match: {tool: start_container}, outcome: deny}]\n';

interface Served {
  readonly server: HttpServer;
  readonly replace: (text: string) => Promise<void>;
}

async function withPolicy(use: (served: Served) => Promise<void>): Promise<void> {
  const file = path.join(await freshDir(), 'policy.yaml');
  await writeFile(file, OPEN);
  const server = await HttpServer.start({ env: { ...(await settingsWithoutNode()), POLICY_FILE: file } });
  const replace = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  try {
    await use({ server, replace });
  } finally {
    await server.stop();
  }
}

/** The text of an SSE response so far. */
function heard({ body }: Response): () => string {
  let text = '';
  void (async () => {
    if (body === null) return;
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) text += chunk;
  })().catch(() => {});
  return () => text;
}

const counted = (text: string) => text.split('notifications/tools/list_changed').length - 1;

test.each(['legacy', 'auto'] as const)(
  'notifies a listening client of each change of its tool list (%s)',
  (mode) =>
    withPolicy(async ({ server, replace }) => {
      let told = 0;
      const onChanged = () => {
        told += 1;
      };
      const client = new Client(
        { name: 'listener', version: '1' },
        { versionNegotiation: { mode }, listChanged: { tools: { onChanged } } },
      );
      const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } };
      let listening = false;
      // Changes before its stream is open are not announced: the client then requests the new list anyway.
      const watched = async (url: string | URL, init?: RequestInit) => {
        const response = await fetch(url, init);
        const headers = new Headers(init?.headers);
        if (init?.method === 'GET' || headers.get('mcp-method') === 'subscriptions/listen') listening = true;
        return response;
      };
      const transport = new StreamableHTTPClientTransport(new URL(server.url), {
        requestInit,
        fetch: watched,
      });
      await client.connect(transport);
      try {
        await until(() => listening);
        expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
        await replace(DENY);
        await until(() => told === 1);
        expect((await client.listTools()).tools).toHaveLength(TOOLS.length - 1);
        await replace(OPEN);
        await until(() => told === 2);
        expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
      } finally {
        await client.close();
      }
    }),
);

test('notifies every session and subscription that requested it, and no other', () =>
  withPolicy(async ({ server, replace }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const inSession = async () => {
      const { id } = await openSession(server.url);
      return heard(await fetch(server.url, { headers: headersOf({ 'Mcp-Session-Id': id }), signal }));
    };
    const subscribed = async (notifications: Record<string, boolean>) => {
      const listen = modern('subscriptions/listen', { notifications });
      return heard(await fetch(server.url, { ...listen, signal }));
    };
    const streams = [
      await inSession(),
      await inSession(),
      await subscribed({ toolsListChanged: true }),
      await subscribed({ toolsListChanged: true }),
    ];
    const other = await subscribed({});
    await until(() => other().includes('subscriptions/acknowledged'));
    await replace(DENY);
    await until(() => streams.every((stream) => counted(stream()) === 1));
    expect(counted(other())).toBe(0);
    controller.abort();
  }));
