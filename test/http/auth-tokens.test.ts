import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../cli/run.ts';
import { KEY, noTerminal, Terminal } from '../cli/terminal.ts';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { toolNames, toolsWithEffect } from '../mcp/tool-names.ts';
import { until } from '../rig/until.ts';
import { AuthServer } from './auth-server.ts';

const ALL = 'the-token-of-the-one-administrator-0123';
const READER = 'the-token-of-one-who-only-looks-4567890';
const WRITER = 'the-token-of-one-who-changes-things-8901';
const HOST = 'the-token-of-one-for-the-node-itself-234';
const SCRAPER = 'the-token-of-a-scraper-567890123';

/** So short that guessing it is slowed down. */
const BRIEF = 'a-short-token-4567890';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const TOKENS = `# who may do what
reader read   ${READER}
writer write  sha256:${sha256(WRITER)}
node   host   ${HOST}
scraper metrics ${SCRAPER}
brief  read   ${BRIEF}
`;

const LOOKING = toolsWithEffect('read');
const NODE = toolNames(({ target }) => target === 'host');
const CHANGING = toolNames(({ target, effect }) => target !== 'host' && effect !== 'read');

describe('named tokens with scopes', () => {
  let server: AuthServer;
  beforeAll(async () => {
    server = await AuthServer.start({
      ...(await settingsWithoutNode()),
      ENABLE_HOST_EXEC: 'true',
      HTTP_TOKEN: ALL,
      HTTP_TOKENS: TOKENS,
    });
  });
  afterAll(() => server.stop());

  test('answers a request without a token only with how to send one', async () => {
    for (const response of [await server.list(), await server.get('/mcp'), await server.get('/metrics')]) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="proxmox-mcp"');
      expect(await response.json()).toMatchObject({
        error_description: expect.stringContaining('Authorization'),
      });
    }
    const basic = await fetch(`${server.origin}/mcp`, { headers: { authorization: `Basic ${ALL}` } });
    expect(basic.status).toBe(401);
    const inTheAddress = await server.get(`/metrics?access_token=${ALL}&token=${ALL}`);
    expect(inTheAddress.status).toBe(401);
  });

  test('rejects a wrong token, however similar', async () => {
    for (const wrong of [
      `${ALL}x`,
      ALL.slice(0, -1),
      ALL.toUpperCase(),
      sha256(WRITER),
      `sha256:${sha256(WRITER)}`,
    ]) {
      const response = await server.list(wrong);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(
        'Bearer error="invalid_token", error_description="Unknown token"',
      );
    }
  });

  test.each([
    ['all', ALL, [...LOOKING, ...CHANGING, ...NODE]],
    ['read', READER, LOOKING],
    ['write', WRITER, [...LOOKING, ...CHANGING]],
    ['host', HOST, [...LOOKING, ...NODE]],
  ])('with %s: lists exactly its tools', async (_rights, token, tools) => {
    expect((await server.toolNames(token)).sort()).toEqual([...tools].sort());
  });

  test('refuses a call of a hidden tool and names it', async () => {
    const { isError, data } = await server.result(READER, 'container_exec_command', {
      vmid: 101,
      command: 'id',
    });
    expect(isError).toBe(true);
    expect(data).toMatchObject({
      code: 'RIGHT_MISSING',
      error: expect.stringContaining('caller reader lacks the permission'),
    });
    expect((await server.result(WRITER, 'host_exec_command', { command: 'id' })).data.code).toBe(
      'RIGHT_MISSING',
    );
    expect((await server.result(HOST, 'stop_container', { vmid: 101 })).data.code).toBe('RIGHT_MISSING');
    // With the permission, the call proceeds to the node, which is unreachable.
    expect((await server.result(WRITER, 'stop_container', { vmid: 101 })).data.code).toBe('SSH_UNREACHABLE');
  });

  test('accepts a metrics token for metrics only', async () => {
    expect((await server.get('/metrics', SCRAPER)).status).toBe(200);
    const response = await server.list(SCRAPER);
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  test('redacts a token in the response', async () => {
    const { data } = await server.result(READER, 'container_status', { vmid: SCRAPER });
    expect(data.code).toBe('INVALID_INPUT');
    expect(JSON.stringify(data)).toContain('HTTP_TOKENS');
    expect(JSON.stringify(data)).not.toContain(SCRAPER);
  });

  test('logs the caller and the refused call, and no token', async () => {
    await server.list('a-secret-of-somebody-else-that-came-here-by-mistake');
    await until(() => server.stderr.includes('authentication failed'));
    await server.result(READER, 'stop_container', { vmid: 101 });
    await until(() => server.stderr.includes('"caller":"reader","tool":"proxmox_stop_container"'));
    expect(server.stderr).toContain('127.0.0.1');
    for (const token of [ALL, READER, WRITER, HOST, SCRAPER, 'a-secret-of-somebody-else'])
      expect(server.stderr).not.toContain(token);
  });
});

describe('repeated wrong tokens', () => {
  let server: AuthServer;
  beforeAll(async () => {
    server = await AuthServer.start({
      ...(await settingsWithoutNode()),
      HTTP_TOKEN: ALL,
      HTTP_TOKENS: TOKENS,
    });
  });
  afterAll(() => server.stop());

  test('are rejected unchecked after ten, without blocking known callers', async () => {
    expect((await server.list(READER)).status).toBe(200);
    const guesses = Array.from({ length: 15 }, (_, index) => `a-guess-that-is-not-right-but-long-${index}`);
    const answers: Response[] = [];
    for (const guess of guesses) answers.push(await server.list(guess));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(401), ...Array(5).fill(429)]);
    const wait = Number(answers.at(-1)?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect((await server.list(READER)).status).toBe(200);
    // Valid, unused so far, and too long to be guessed: an attacker who guesses must not lock it out.
    expect((await server.list(ALL)).status).toBe(200);
    // A short one could be guessed.
    expect((await server.list(BRIEF)).status).toBe(429);
    expect(await server.metric(READER, 'proxmox_mcp_refusals_total', { reason: 'guessing' })).toBe(6);
  });

  test('are counted by the client address of a proxy, with BEHIND_PROXY only', async () => {
    const env = { ...(await settingsWithoutNode()), HTTP_TOKEN: ALL };
    const [behind, direct] = await Promise.all([
      AuthServer.start({ ...env, BEHIND_PROXY: 'true' }),
      AuthServer.start(env),
    ]);
    const guess = (to: AuthServer, from: string) =>
      fetch(`${to.origin}/metrics`, {
        headers: { authorization: 'Bearer a-guess-of-somebody', 'x-forwarded-for': from },
      });
    for (let count = 0; count < 10; count += 1) {
      await guess(behind, `${count}.0.0.1, 192.0.2.1`);
      await guess(direct, `192.0.2.${count}`);
    }
    expect((await guess(behind, '192.0.2.1')).status).toBe(429);
    expect((await guess(behind, '192.0.2.1, 192.0.2.2')).status).toBe(401);
    expect((await guess(direct, '198.51.100.1')).status).toBe(429);
    await Promise.all([behind.stop(), direct.stop()]);
  });
});

describe('a generated token', () => {
  let stateDir = '';
  beforeEach(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'made-token-'));
    return () => rm(stateDir, { recursive: true, force: true });
  });
  const start = async (more: Record<string, string> = {}) =>
    AuthServer.start({ ...(await settingsWithoutNode()), LOG_LEVEL: 'trace', STATE_DIR: stateDir, ...more });
  const kept = async () => (await readFile(path.join(stateDir, 'http-token'), 'utf8')).trim();

  test('is readable by its owner only, absent from the log, and valid after a restart', async () => {
    const server = await start();
    const file = path.join(stateDir, 'http-token');
    const token = await kept();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await server.list(token)).status).toBe(200);
    expect((await server.list()).status).toBe(401);
    expect(server.stderr).toContain(file);
    expect(server.stderr).not.toContain(token);
    await server.stop();

    const again = await start();
    expect((await again.list(token)).status).toBe(200);
    expect(again.stderr).not.toContain(token);
    expect(again.stderr).toContain(file);
    await again.stop();
  });

  test.skipIf(noTerminal !== null)(
    `is shown once on a terminal, with the client configuration${noTerminal === null ? '' : ` (skipped: ${noTerminal})`}`,
    async () => {
      const env = { ...(await settingsWithoutNode()), STATE_DIR: stateDir, SERVER_PORT: '0' };
      const first = new Terminal(['--http'], { cwd: stateDir, env });
      await first.answer('MCP is at', KEY.ctrlC);
      expect(await first.ended()).toBe(0);
      const token = await kept();
      expect(first.text).toContain(`--header "Authorization: Bearer ${token}"`);
      expect(first.text).toContain(`"Authorization": "Bearer ${token}"`);

      const second = new Terminal(['--http'], { cwd: stateDir, env });
      await second.answer('MCP is at', KEY.ctrlC);
      expect(await second.ended()).toBe(0);
      expect(second.text).not.toContain(token);
    },
  );

  test('is shared by two servers with one state directory', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const token = await kept();
    expect((await first.list(token)).status).toBe(200);
    expect((await second.list(token)).status).toBe(200);
    const generated = [first, second].filter(({ stderr }) => /so a token .*was generated/.test(stderr));
    expect(generated).toHaveLength(1);
    await Promise.all([first.stop(), second.stop()]);
  });
});

test('rejects a guessable token without printing it', async () => {
  const { code, stderr } = await runCli(['--http'], {
    cwd: tmpdir(),
    env: {
      ...(await settingsWithoutNode()),
      SERVER_HTTP: 'true',
      HTTP_TOKEN: 'hunter2',
      HTTP_TOKENS: 'alice read hunter3',
    },
  });
  expect(code).toBe(2);
  expect(stderr).toContain('HTTP_TOKEN (environment) is shorter than 16 characters');
  expect(stderr).toContain('HTTP_TOKENS (environment) line 1 has a token that is shorter');
  expect(stderr).toContain('openssl rand -hex 32');
  expect(stderr).not.toContain('hunter');
});
