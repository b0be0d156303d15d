import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import type { Responder } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectOverHttp, type HttpClient } from './client.ts';
import { legacy, modern, openSession } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

const OTHER = 'another-token-of-the-tests-0123456789abcdef';
/** HTTP_TOKEN, which never has the scope `confirm`. */
const WITHOUT_SCOPE = 'the-one-token-of-the-tests-0123456789abcdef';
const TOOL = 'proxmox_host_exec_command';
const yes = { action: 'accept' as const, content: { allow: true } };

const node = new SimulatedNode();
let server: HttpServer;
beforeAll(async () => {
  await node.start();
  server = await start({ APPROVALS: 'client' });
});
afterAll(async () => {
  await server.stop();
  await node.stop();
});

function start(env: Readonly<Record<string, string>>): Promise<HttpServer> {
  return HttpServer.start({
    env: {
      ...node.settings(),
      POLICY: 'careful',
      ENABLE_HOST_EXEC: 'true',
      HTTP_TOKEN: WITHOUT_SCOPE,
      HTTP_TOKENS: `main read,write,host,confirm ${TOKEN}\nguest read,write,host,confirm ${OTHER}`,
      ...env,
    },
  });
}

async function withClient(
  era: 'modern' | 'legacy' | 'v1',
  respond: Responder,
  use: (client: HttpClient) => Promise<void>,
  { token = TOKEN, at = server }: { readonly token?: string; readonly at?: HttpServer } = {},
): Promise<void> {
  const client = await connectOverHttp({ url: at.url, token, era, respond });
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

/** Answers of clients to the server's questions, with every possible id. */
async function smuggleAnswers(token: string, at: HttpServer): Promise<void> {
  const { id: session } = await openSession(at.url, token);
  const headers = { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': session };
  for (let id = 0; id < 5; id += 1) {
    await (await fetch(at.url, legacy({ id, result: yes }, headers))).text();
  }
}

describe.each(['modern', 'legacy', 'v1'] as const)(
  'over HTTP, a %s client that supports elicitation',
  (era) => {
    test('is asked, and its call runs only when approved', async () => {
      const answers = [
        yes,
        { action: 'accept' as const, content: { allow: false } },
        { action: 'decline' as const },
      ];
      const questions: string[] = [];
      const respond: Responder = async (question) => {
        questions.push(question);
        return answers[questions.length - 1] ?? yes;
      };
      await withClient(era, respond, async (client) => {
        const call = () => client.callTool(TOOL, { command: 'echo ran' });
        expect((await call()).data).toMatchObject({ stdout: 'ran\n' });
        expect((await call()).data).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
        expect((await call()).data).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
      });
      expect(questions).toHaveLength(3);
      expect(questions[0]).toContain('  | echo ran');
      expect(questions[0]).toContain('Caller: main');
    });

    test('is asked about its own calls only', async () => {
      const asked: Record<string, string[]> = { [TOKEN]: [], [OTHER]: [] };
      const callAs = (token: string, text: string) =>
        withClient(
          era,
          async (question) => {
            asked[token]?.push(question);
            // Waits until the other one is asked as well.
            await until(() => Object.values(asked).every(({ length }) => length === 1), 10_000).catch(
              () => {},
            );
            return token === TOKEN ? yes : { action: 'decline' };
          },
          async (client) => {
            const { data } = await client.callTool(TOOL, { command: `echo ${text}` });
            expect(data).toMatchObject(
              token === TOKEN ? { stdout: `${text}\n` } : { code: 'CONFIRMATION_REFUSED' },
            );
          },
          { token },
        );
      await Promise.all([callAs(TOKEN, 'mine'), callAs(OTHER, 'yours')]);
      expect(asked[TOKEN]).toEqual([expect.stringContaining('  | echo mine')]);
      expect(asked[OTHER]).toEqual([expect.stringContaining('  | echo yours')]);
    });
  },
);

test.each([
  ['the same caller', TOKEN],
  ['another caller', OTHER],
])('ignores answers from another session of %s, and refuses the call without an answer', async (_, token) => {
  let asked = false;
  const silent: Responder = () => {
    asked = true;
    return new Promise(() => {});
  };
  const at = await start({ APPROVALS: 'client', CONFIRM_TIMEOUT: '2' });
  const use = async (client: HttpClient) => {
    const call = client.callTool(TOOL, { command: 'echo ran' });
    await until(() => asked);
    await smuggleAnswers(token, at);
    expect((await call).data).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
  };
  try {
    await withClient('legacy', silent, use, { at });
  } finally {
    await at.stop();
  }
});

test('sends the question of a session on the stream of its call', async () => {
  const { id: session } = await openSession(server.url, TOKEN, { elicitation: {} });
  const headers = { ...bearer(TOKEN), 'Mcp-Session-Id': session };
  const params = { name: TOOL, arguments: { command: 'echo ran' } };
  const response = await fetch(server.url, legacy({ id: 1, method: 'tools/call', params }, headers));
  const text = await response.text();
  expect(text).toContain('elicitation/create');
});

/** A call by a program that declares that it shows questions, with its answer to the question. */
async function call(token: string, more: Record<string, unknown> = {}, at = server) {
  const asking = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } };
  const params = { name: TOOL, arguments: { command: 'echo ran' }, ...more };
  const response = await fetch(at.url, modern('tools/call', params, bearer(token), asking));
  return answer.parse(JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? '{}')).result;
}

describe('a caller that declares elicitation and answers its own question', () => {
  test('is refused without the scope confirm, and not asked', async () => {
    const { requestState, structuredContent } = await call(WITHOUT_SCOPE);
    expect(requestState).toBeUndefined();
    expect(structuredContent).toMatchObject({
      code: 'CONFIRMATION_REQUIRED',
      error: expect.stringContaining('permission `confirm`'),
    });
  });

  test.each([
    ['terminal', 'APPROVAL_PENDING'],
    ['deny', 'CONFIRMATION_REQUIRED'],
    ['', 'CONFIRMATION_REQUIRED'],
  ])('is handled by APPROVALS=%s, whatever its scopes: %s', async (approvals, code) => {
    const other = await start({ APPROVALS: approvals });
    try {
      for (const era of ['modern', 'legacy'] as const) {
        const respond: Responder = () => Promise.reject(new Error('asked'));
        const client = await connectOverHttp({ url: other.url, token: TOKEN, era, respond });
        expect((await client.callTool(TOOL, { command: 'echo ran' })).data).toMatchObject({ code });
        await client.close();
      }
      // An answer to a question of another server process with the same key is useless, too.
      const answered = { requestState: 'forged', inputResponses: { confirmation: yes } };
      expect((await call(TOKEN, answered, other)).structuredContent).toMatchObject({ code });
    } finally {
      await other.stop();
    }
  });
});

test('does not accept a declined question later, not even at another replica', async () => {
  const replica = await start({ APPROVALS: 'client', STATE_KEY: `${'k'.repeat(20)}replicas-share-it` });
  const first = await start({ APPROVALS: 'client', STATE_KEY: `${'k'.repeat(20)}replicas-share-it` });
  try {
    const { requestState } = await call(TOKEN, {}, first);
    const returned = (response: unknown) => ({ requestState, inputResponses: { confirmation: response } });
    expect((await call(TOKEN, returned({ action: 'decline' }), first)).structuredContent).toMatchObject({
      code: 'CONFIRMATION_REFUSED',
    });
    expect((await call(TOKEN, returned(yes), first)).structuredContent).toMatchObject({
      code: 'APPROVAL_USED',
    });
    expect((await call(TOKEN, returned(yes), replica)).structuredContent).toMatchObject({
      code: 'APPROVAL_USED',
    });
  } finally {
    await first.stop();
    await replica.stop();
  }
});

test('rejects an approval that was requested by another caller', async () => {
  const { requestState } = await call(TOKEN);
  expect(requestState).toBeTypeOf('string');
  const brought = { requestState, inputResponses: { confirmation: yes } };
  expect((await call(OTHER, brought)).structuredContent).toMatchObject({ code: 'APPROVAL_INVALID' });
  expect((await call(TOKEN, brought)).structuredContent).toMatchObject({ stdout: 'ran\n' });
  expect((await call(TOKEN, brought)).structuredContent).toMatchObject({ code: 'APPROVAL_USED' });
});

test('treats a disconnect during a question as a refusal', async () => {
  const cancel = new AbortController();
  const respond: Responder = () => {
    cancel.abort();
    return new Promise(() => {});
  };
  const stop = { vmid: CT.debian, force: true };
  await withClient('legacy', respond, async (client) => {
    const call = client.callTool('proxmox_stop_container', stop, { signal: cancel.signal });
    await expect(call).rejects.toThrow();
    await until(async () => (await recorded()).includes('"code":"CANCELLED"'));
  });
  expect(node.isRunning(CT.debian)).toBe(true);
});

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

const answer = z.object({
  result: z.object({
    requestState: z.string().optional(),
    structuredContent: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** Everything in the audit log of the server. */
async function recorded(): Promise<string> {
  const dir = path.join(server.dir, 'state', 'audit');
  const segments = await readdir(dir).catch(() => []);
  return (await Promise.all(segments.map((each) => readFile(path.join(dir, each), 'utf8')))).join('');
}
