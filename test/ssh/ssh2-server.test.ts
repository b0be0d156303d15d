import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import { closePools, failure, makePool, run } from './helpers.ts';

/** A server for behavior that OpenSSH shows only with root and PAM. */
interface Behaviour {
  /** Sent before the login. */
  readonly banner?: string;
  readonly auth?: (context: ssh2.AuthContext) => void;
  /** Called with a session that a client requests; the callback decides whether it is accepted. */
  readonly session?: (accept: () => ssh2.Session, commands: string[]) => void;
}

function serve(session: ssh2.Session, commands: string[]): void {
  session.on('exec', (accept, _reject, info) => {
    commands.push(info.command);
    const channel = accept();
    channel.write('in\n');
    channel.exit(0);
    channel.end();
  });
}

describe('against a server with unusual behavior', () => {
  const PASSWORD = 'correct horse';
  let dir: string;
  let hostKey: string;
  const servers: ssh2.Server[] = [];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ssh2-server-'));
    hostKey = ssh2.utils.generateKeyPairSync('ed25519').private;
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  afterEach(async () => {
    await closePools();
    for (const server of servers.splice(0)) server.close();
  });

  async function start(behaviour: Behaviour) {
    const commands: string[] = [];
    const clients: ssh2.Connection[] = [];
    const { banner } = behaviour;
    const server = new ssh2.Server({ hostKeys: [hostKey], ...(banner && { banner }) }, (client) => {
      clients.push(client);
      client.on('error', () => {});
      client.on('authentication', behaviour.auth ?? ((context) => context.accept()));
      client.on('session', (accept) => {
        if (behaviour.session) behaviour.session(accept, commands);
        else serve(accept(), commands);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const knownHosts = join(dir, `known_hosts_${port}`);
    const target = (overrides: Partial<SshTarget> = {}): SshTarget => ({
      host: '127.0.0.1',
      port,
      username: 'root',
      identityFiles: [],
      jumps: [],
      hostKeyPolicy: 'accept-new',
      knownHostsFiles: [knownHosts],
      knownHostsWriteFile: knownHosts,
      ...overrides,
    });
    return { target, commands, clients };
  }

  describe('passwords', () => {
    const methods: string[] = [];
    const only =
      (method: ssh2.AuthenticationType, check: (context: ssh2.AuthContext) => boolean) =>
      (context: ssh2.AuthContext) => {
        methods.push(context.method);
        if (context.method === method && check(context)) context.accept();
        else context.reject([method]);
      };
    const byPassword = only('password', (c) => c.method === 'password' && c.password === PASSWORD);
    afterEach(() => methods.splice(0));

    test('are sent only by the method that the server accepts', async () => {
      const { target } = await start({ auth: byPassword });
      expect((await run(makePool(target({ password: PASSWORD })), 'x')).stdout).toBe('in\n');
      expect(methods).toEqual(['none', 'password']);
    });

    test('answer keyboard-interactive', async () => {
      const { target } = await start({
        auth(context) {
          if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
          context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => {
            if (answers[0] === PASSWORD) context.accept();
            else context.reject();
          });
        },
      });
      expect((await run(makePool(target({ password: PASSWORD })), 'x')).stdout).toBe('in\n');
    });

    test('do not answer a second prompt', async () => {
      const seen: string[] = [];
      const { target } = await start({
        auth(context) {
          if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
          context.prompt([{ prompt: 'Password: ', echo: false }], (first) => {
            context.prompt([{ prompt: 'New password: ', echo: false }], (second) => {
              seen.push(...first, ...second);
              context.reject();
            });
          });
        },
      });
      const error = await failure(run(makePool(target({ password: PASSWORD })), 'x'));
      expect(error.code).toBe('SSH_AUTH_FAILED');
      expect(seen).toEqual([PASSWORD, '']);
    });

    test('are followed by a key when both are required', async () => {
      const key = ssh2.utils.generateKeyPairSync('ed25519');
      const file = join(dir, 'second_factor');
      writeFileSync(file, key.private, { mode: 0o600 });
      let passed = false;
      const { target } = await start({
        auth(context) {
          if (context.method === 'password' && context.password === PASSWORD) {
            passed = true;
            return context.reject(['publickey'], true);
          }
          if (context.method === 'publickey' && passed) return context.accept();
          context.reject([passed ? 'publickey' : 'password']);
        },
      });
      const both = target({ password: PASSWORD, identityFiles: [file] });
      expect((await run(makePool(both), 'x')).stdout).toBe('in\n');
    });

    test('are never printed', async () => {
      const { target } = await start({ auth: byPassword });
      const error = await failure(run(makePool(target({ password: 'hunter2' })), 'x'));
      expect(error.code).toBe('SSH_AUTH_FAILED');
      expect(error.message).toContain('tried password; the server accepts password');
      expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain('hunter2');
    });

    test('are tried once for 64 waiting calls', async () => {
      const { target } = await start({ auth: byPassword });
      const pool = makePool(target({ password: 'hunter2' }));
      const errors = await Promise.all(Array.from({ length: 64 }, () => failure(pool.open('x'))));
      expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['SSH_AUTH_FAILED']));
      expect(methods.filter((method) => method === 'password')).toHaveLength(1);
    });
  });

  describe('a login that is lost', () => {
    test('is not a refused login', async () => {
      let lose = () => {};
      const { target, clients } = await start({ auth: () => lose() });
      lose = () => {
        for (const client of clients) client.end();
      };
      const error = await failure(run(makePool(target()), 'x'));
      expect(error).toMatchObject({ code: 'SSH_UNREACHABLE', hint: expect.stringContaining('overloaded') });
      expect(error.message).toContain('the login did not end');
    });
  });

  describe('a banner before the login', () => {
    const LINK = 'https://login.tailscale.com/a/1f2e3d4c5b6a70';
    const CHECK = `# Tailscale SSH requires an additional check.\n# To authenticate, visit: ${LINK}\n`;
    const after = (ms: number) => (context: ssh2.AuthContext) => void setTimeout(() => context.accept(), ms);
    const never = () => {};

    test('extends the login timeout, and is reported meanwhile', async () => {
      const { target } = await start({ banner: CHECK, auth: after(1500) });
      const told: (string | null)[] = [];
      const pool = makePool(target(), { readyTimeoutMs: 300, onBanner: (text) => void told.push(text) });
      expect((await run(pool, 'x')).stdout).toBe('in\n');
      expect(told).toEqual([
        expect.stringContaining(`127.0.0.1 delays the login; its banner is: "# Tail`),
        null,
      ]);
      expect(told[0]).toContain(LINK);
    });

    test('is not reported when the login is not delayed', async () => {
      const { target } = await start({ banner: 'Authorized users only.\n' });
      const told: (string | null)[] = [];
      const pool = makePool(target(), { onBanner: (text) => void told.push(text) });
      await run(pool, 'x');
      await sleep(1100);
      expect(told).toEqual([]);
    });

    test('is part of the error with its link and the next step', async () => {
      const { target } = await start({ banner: CHECK, auth: never });
      const pool = makePool(target(), { readyTimeoutMs: 300, bannerTimeoutMs: 600 });
      const error = await failure(run(pool, 'x'));
      expect(error.code).toBe('SSH_AUTH_FAILED');
      expect(error.message).toContain('no answer within 0.6 s');
      expect(error.message).toContain(`To authenticate, visit: ${LINK}`);
      expect(error.hint).toContain('open the link');
    });

    test('is required for the longer timeout', async () => {
      const { target } = await start({ auth: never });
      const pool = makePool(target(), { readyTimeoutMs: 300, bannerTimeoutMs: 60_000 });
      const error = await failure(run(pool, 'x'));
      expect(error).toMatchObject({ code: 'SSH_UNREACHABLE', hint: expect.stringContaining('overloaded') });
      expect(error.message).toContain('no answer within 0.3 s');
    });

    test('without a link does not make a timeout a refused login', async () => {
      const { target } = await start({ banner: 'Authorized users only.\n', auth: never });
      const pool = makePool(target(), { readyTimeoutMs: 300, bannerTimeoutMs: 300 });
      const error = await failure(run(pool, 'x'));
      expect(error).toMatchObject({
        code: 'SSH_UNREACHABLE',
        message: expect.stringContaining('Authorized users'),
      });
    });

    test('without a request is quoted in the error, without a next step', async () => {
      const banner = 'Authorized users only.\n\u001B[2JSee https://example.com/rules\n';
      const { target } = await start({ banner, auth: (context) => context.reject(['publickey']) });
      const error = await failure(run(makePool(target()), 'x'));
      expect(error.message).toContain(
        'its banner is: "Authorized users only. <U+001B>[2JSee https://example.com/rules"',
      );
      expect(error.hint).not.toContain('open the link');
    });

    test('of excessive length keeps its lines with links', async () => {
      const { target } = await start({ banner: `${'legal '.repeat(500)}\n${CHECK}`, auth: never });
      const pool = makePool(target(), { readyTimeoutMs: 300, bannerTimeoutMs: 300 });
      const error = await failure(run(pool, 'x'));
      expect(error.message).toContain(LINK);
      expect(error.message.length).toBeLessThan(800);
    });
  });

  describe('a command, sent at most once,', () => {
    test('is replaced by spaces when the session opens too late', async () => {
      let late: (() => void) | undefined;
      const { target, commands } = await start({
        session(accept, log) {
          if (late === undefined) late = () => serve(accept(), log);
          else serve(accept(), log);
        },
      });
      const pool = makePool(target(), { openTimeoutMs: 100 });
      expect((await run(pool, 'precious')).stdout).toBe('in\n');
      late?.();
      await sleep(100);
      expect(commands).toEqual(['precious', ' '.repeat('precious'.length)]);
    });

    test('moves to another connection if the first was lost before it was sent', async () => {
      let asked = 0;
      const server = await start({
        session(accept, log) {
          if (asked++ === 0) server.clients[0]?.end();
          else serve(accept(), log);
        },
      });
      expect((await run(makePool(server.target()), 'precious')).stdout).toBe('in\n');
      expect(server.commands).toEqual(['precious']);
    });

    test('fails after several lost connections', async () => {
      const server = await start({
        session: () => {
          for (const client of server.clients) client.end();
        },
      });
      const error = await failure(run(makePool(server.target()), 'precious'));
      expect(error.code).toBe('SSH_UNREACHABLE');
      expect(server.clients).toHaveLength(3);
    });

    test('is not sent again if the connection was lost after it was sent', async () => {
      const server = await start({
        session(accept, log) {
          accept().on('exec', (_accept, _reject, info) => {
            log.push(info.command);
            server.clients[0]?.end();
          });
        },
      });
      const error = await failure(run(makePool(server.target()), 'precious'));
      expect(error.code).toBe('DISCONNECTED');
      expect(error.message).toContain('may be running');
      expect(server.commands).toEqual(['precious']);
    });

    test('is reported as possibly running when cancelled after it was sent', async () => {
      let answer: (() => ssh2.ServerChannel) | undefined;
      const server = await start({
        session(accept, log) {
          accept().on('exec', (acceptExec, _reject, info) => {
            log.push(info.command);
            answer = acceptExec;
          });
        },
      });
      const abort = new AbortController();
      const opening = failure(makePool(server.target()).open('precious', { signal: abort.signal }));
      await expect.poll(() => server.commands).toEqual(['precious']);
      abort.abort();
      expect((await opening).code).toBe('DISCONNECTED');
      // The late answer is closed.
      const channel = answer?.();
      await new Promise((resolve) => channel?.on('close', resolve).resume());
    });

    test('is not sent again when the server refuses to run it', async () => {
      const server = await start({
        session(accept, log) {
          accept().on('exec', (_accept, reject, info) => {
            log.push(info.command);
            reject();
          });
        },
      });
      expect((await failure(run(makePool(server.target()), 'precious'))).code).toBe('SSH_NO_SESSION');
      expect(server.commands).toEqual(['precious']);
    });
  });
});
