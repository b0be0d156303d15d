import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SshPool } from '../../src/ssh/pool.ts';
import type { RemoteChannel } from '../../src/ssh/types.ts';
import { closePools, failure, makePool, recordingLogger, run } from './helpers.ts';
import { freePort, makeKey, noSshd, type Sshd, startSshd } from './sshd.ts';

/** The sshd process that serves the connection on which a command runs: the parent of the command's shell. */
async function connectionPid(pool: SshPool): Promise<number> {
  return Number((await run(pool, 'echo $PPID')).stdout);
}

/** Channels whose commands run until their stdin ends. */
function hold(pool: SshPool, count: number): Promise<RemoteChannel[]> {
  return Promise.all(Array.from({ length: count }, () => pool.open('cat')));
}

async function release(channels: readonly RemoteChannel[]): Promise<void> {
  for (const channel of channels) {
    channel.stdout.resume();
    channel.stderr.resume();
    channel.stdin.end();
  }
  await Promise.all(channels.map((channel) => channel.closed));
}

describe.skipIf(noSshd)('the pool on a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  describe('commands', () => {
    test('stdout, stderr and exit code', async () => {
      const result = await run(makePool(sshd.target()), 'echo out; echo err >&2; exit 42');
      expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n', code: 42, signal: null, reason: 'closed' });
    });

    test('a signal, without SIG', async () => {
      expect(await run(makePool(sshd.target()), 'kill -KILL $$')).toMatchObject({
        code: null,
        signal: 'KILL',
      });
    });

    test('exit is told while a background child still holds the streams', async () => {
      const channel = await makePool(sshd.target()).open('sleep 20 & echo $!; exit 7');
      channel.stdout.resume();
      expect(await channel.exited).toEqual({ code: 7, signal: null });
      const early = await Promise.race([channel.closed.then(() => 'closed'), sleep(300, 'open')]);
      expect(early).toBe('open');
      channel.close();
      expect(await channel.closed).toEqual({ code: 7, signal: null, reason: 'closed' });
    });

    test('a slow reader holds the command back, and gets every byte', async () => {
      const size = 60_000_000;
      const channel = await makePool(sshd.target()).open(`head -c ${size} /dev/zero; echo written >&2`);
      let written = false;
      channel.stderr.on('data', () => {
        written = true;
      });
      await sleep(700);
      expect(written).toBe(false);
      // The view and ssh2 together hold the window and not much more.
      expect(channel.stdout.readableLength).toBeLessThan(1_000_000);
      let received = 0;
      for await (const chunk of channel.stdout) received += chunk.length;
      expect(received).toBe(size);
      expect(await channel.closed).toEqual({ code: 0, signal: null, reason: 'closed' });
      expect(written).toBe(true);
    });

    test('50 MB through stdin', async () => {
      const channel = await makePool(sshd.target()).open('sha256sum');
      const block = randomBytes(1_000_000);
      const hash = createHash('sha256');
      function* blocks() {
        for (let i = 0; i < 50; i++) {
          hash.update(block);
          yield block;
        }
      }
      let stdout = '';
      channel.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      channel.stderr.resume();
      await pipeline(Readable.from(blocks()), channel.stdin);
      await channel.closed;
      expect(stdout).toBe(`${hash.digest('hex')}  -\n`);
    });

    test('a writer learns that the command has ended', async () => {
      const channel = await makePool(sshd.target()).open('head -c 1 >/dev/null');
      channel.stdout.resume();
      channel.stderr.resume();
      const zeros = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(1_000_000);
        })(),
      );
      await expect(pipeline(zeros, channel.stdin)).rejects.toThrow();
      expect(await channel.closed).toMatchObject({ code: 0, reason: 'closed' });
    });

    test('reading stdout to its end does not close the channel', async () => {
      const channel = await makePool(sshd.target()).open('exec 1>&-; sleep 0.3; echo late >&2; exit 5');
      for await (const _ of channel.stdout);
      let stderr = '';
      for await (const chunk of channel.stderr) stderr += chunk;
      expect(stderr).toBe('late\n');
      expect(await channel.closed).toEqual({ code: 5, signal: null, reason: 'closed' });
    });

    test('close() with unread output frees the session', async () => {
      const pool = makePool(sshd.target(), { maxConnections: 1 });
      for (let i = 0; i < 15; i++) {
        const channel = await pool.open('head -c 10000000 /dev/zero; exit 0');
        // Now at once, now when output has piled up on this side.
        if (i % 5 === 0) await sleep(100);
        channel.close();
        await channel.closed;
      }
      expect((await run(pool, 'echo in')).stdout).toBe('in\n');
    });
  });

  describe('sessions', () => {
    test('64 opens at once all succeed, on few enough connections', async () => {
      const logger = recordingLogger();
      const pool = makePool(sshd.target(), { logger });
      const started = performance.now();
      const results = await Promise.all(
        Array.from({ length: 64 }, (_, i) => run(pool, `sleep 0.3; echo ${i}`)),
      );
      expect(results.map((result) => result.stdout)).toEqual(results.map((_, i) => `${i}\n`));
      expect(performance.now() - started).toBeLessThan(20_000);
      const logins = logger.lines.filter((line) => line.includes(': trying ')).length;
      expect(logins).toBeGreaterThan(1);
      expect(logins).toBeLessThanOrEqual(8);
    });

    test('short commands share one connection', async () => {
      const logger = recordingLogger();
      const pool = makePool(sshd.target(), { logger });
      for (let i = 0; i < 20; i++) await run(pool, 'true');
      expect(logger.lines.filter((line) => line.includes(': trying '))).toHaveLength(1);
    });

    test('control gets through while work holds all it may', async () => {
      const pool = makePool(sshd.target(), { maxConnections: 1 });
      const held = await hold(pool, 9);
      const tenth = run(pool, 'echo tenth');
      const waiting = Promise.race([tenth.then(() => 'ran'), sleep(400, 'waits')]);
      expect(await run(pool, 'echo kill', { priority: 'control' })).toMatchObject({ stdout: 'kill\n' });
      expect(await waiting).toBe('waits');
      await release(held);
      expect((await tenth).stdout).toBe('tenth\n');
    });

    test('control goes before work that came earlier', async () => {
      const pool = makePool(sshd.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
      const held = await hold(pool, 1);
      const order: string[] = [];
      const work = run(pool, 'true').then(() => order.push('work'));
      const control = run(pool, 'true', { priority: 'control' }).then(() => order.push('control'));
      await release(held);
      await Promise.all([work, control]);
      expect(order).toEqual(['control', 'work']);
    });

    test('an aborted wait leaves the queue and sends nothing', async () => {
      const pool = makePool(sshd.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
      const held = await hold(pool, 1);
      const abort = new AbortController();
      const waiting = failure(pool.open(`touch ${sshd.dir}/aborted`, { signal: abort.signal }));
      abort.abort();
      expect((await waiting).code).toBe('CANCELLED');
      expect((await failure(pool.open('true', { signal: abort.signal }))).code).toBe('CANCELLED');
      await release(held);
      expect((await run(pool, `ls ${sshd.dir}/aborted`)).code).toBe(2);
    });

    test('idle extra connections are closed, one stays', async () => {
      const logger = recordingLogger();
      const pool = makePool(sshd.target(), { logger, maxSessionsPerConnection: 2, idleMs: 200 });
      await release(await hold(pool, 3));
      expect(sshd.connections()).toBeGreaterThan(1);
      await expect.poll(() => sshd.connections(), { timeout: 5000 }).toBe(1);
      expect(pool.connected).toBe(true);
    });

    test('an sshd that grants 4 sessions per connection', async () => {
      const small = await startSshd({ config: ['MaxSessions 4'] });
      try {
        const pool = makePool(small.target());
        const results = await Promise.all(
          Array.from({ length: 24 }, (_, i) => run(pool, `sleep 0.2; echo ${i}`)),
        );
        expect(results.map((result) => result.stdout)).toEqual(results.map((_, i) => `${i}\n`));
      } finally {
        await small.stop();
      }
    });

    test('what sshd does not grant is not asked for over and over', async () => {
      const small = await startSshd({ config: ['MaxSessions 4'] });
      try {
        const logger = recordingLogger();
        const pool = makePool(small.target(), { logger, maxConnections: 1 });
        await Promise.all(Array.from({ length: 9 }, () => run(pool, 'sleep 0.5')));
        const refusals = logger.lines.filter((line) => line.includes('refused')).length;
        expect(refusals).toBeGreaterThan(0);
        expect(refusals).toBeLessThan(40);
      } finally {
        await small.stop();
      }
    });

    test('a session that sshd has not freed yet is waited for', async () => {
      // sshd refuses an open that comes in one piece with the answer to a close; here nearly each one does.
      const single = await startSshd({ config: ['MaxSessions 1'] });
      try {
        const pool = makePool(single.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
        const results = await Promise.all(Array.from({ length: 100 }, () => run(pool, 'echo in')));
        expect(new Set(results.map((result) => result.stdout))).toEqual(new Set(['in\n']));
      } finally {
        await single.stop();
      }
    });

    test('an sshd that grants no session', async () => {
      const none = await startSshd({ config: ['MaxSessions 0'] });
      try {
        expect((await failure(run(makePool(none.target()), 'true'))).code).toBe('SSH_NO_SESSION');
      } finally {
        await none.stop();
      }
    });

    test('an sshd that drops most of those who log in at once', async () => {
      const strict = await startSshd({ config: ['MaxStartups 1:90:3'] });
      try {
        const pool = makePool(strict.target());
        const results = await Promise.all(Array.from({ length: 40 }, () => run(pool, 'sleep 0.5; echo in')));
        expect(new Set(results.map((result) => result.stdout))).toEqual(new Set(['in\n']));
      } finally {
        await strict.stop();
      }
    });
  });

  describe('loss', () => {
    test('a killed connection ends its channels as disconnected at once; the next open connects anew', async () => {
      const pool = makePool(sshd.target());
      const pid = await connectionPid(pool);
      const channel = await pool.open('echo early; sleep 20');
      const [first] = await Promise.all([new Promise((resolve) => channel.stdout.once('data', resolve))]);
      expect(String(first)).toBe('early\n');
      channel.stderr.resume();
      const started = performance.now();
      process.kill(pid, 'SIGKILL');
      expect(await channel.closed).toEqual({ code: null, signal: null, reason: 'disconnected' });
      expect(await channel.exited).toEqual({ code: null, signal: null });
      expect(performance.now() - started).toBeLessThan(1000);
      expect(pool.connected).toBe(false);
      expect((await run(pool, 'echo again')).stdout).toBe('again\n');
      expect(await connectionPid(pool)).not.toBe(pid);
    });

    test('a writer is told of the loss', async () => {
      const pool = makePool(sshd.target());
      const pid = await connectionPid(pool);
      const channel = await pool.open('head -c 10000000 /dev/zero; sleep 20');
      const zeros = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(1_000_000);
        })(),
      );
      const writing = pipeline(zeros, channel.stdin);
      setTimeout(() => process.kill(pid, 'SIGKILL'), 200);
      await expect(writing).rejects.toThrow();
    });

    test('the callback of a write is called, whatever happens', async () => {
      const pool = makePool(sshd.target());
      const pid = await connectionPid(pool);
      const channel = await pool.open('sleep 20');
      const written = new Promise((resolve) => channel.stdin.write(Buffer.alloc(10_000_000), resolve));
      setTimeout(() => process.kill(pid, 'SIGKILL'), 200);
      expect(await written).toBeInstanceOf(Error);
    });

    test('a peer that vanishes is found by its silence, and what was running is told', async () => {
      const logger = recordingLogger();
      const pool = makePool(sshd.target(), { logger, keepaliveMs: 300, deadAfterMs: 1200 });
      const pid = await connectionPid(pool);
      const channel = await pool.open('sleep 20');
      // Silent commands are no silent peer: the signs of life keep it.
      await sleep(2000);
      expect(pool.connected).toBe(true);
      process.kill(pid, 'SIGSTOP');
      try {
        const started = performance.now();
        expect(await channel.closed).toMatchObject({ reason: 'disconnected' });
        expect(performance.now() - started).toBeLessThan(2500);
        expect(logger.warnings.join()).toContain('nothing heard');
        expect((await run(pool, 'echo again')).stdout).toBe('again\n');
      } finally {
        process.kill(pid, 'SIGKILL');
      }
    });

    test('a connection that does not answer an open gets no more work, and its command runs once, elsewhere', async () => {
      const pool = makePool(sshd.target(), { openTimeoutMs: 300 });
      const pid = await connectionPid(pool);
      const file = `${sshd.dir}/ran`;
      process.kill(pid, 'SIGSTOP');
      expect((await run(pool, `echo x >> ${file}; echo ran`)).stdout).toBe('ran\n');
      expect(await connectionPid(pool)).not.toBe(pid);
      process.kill(pid, 'SIGCONT');
      await sleep(500);
      expect((await run(pool, `cat ${file}`)).stdout).toBe('x\n');
    });

    test('cancelling an open that is not answered sends nothing, then or later', async () => {
      const pool = makePool(sshd.target());
      const pid = await connectionPid(pool);
      const abort = new AbortController();
      process.kill(pid, 'SIGSTOP');
      const opening = failure(pool.open(`touch ${sshd.dir}/late`, { signal: abort.signal }));
      await sleep(50);
      abort.abort();
      expect((await opening).code).toBe('CANCELLED');
      process.kill(pid, 'SIGCONT');
      await sleep(300);
      expect((await run(pool, `ls ${sshd.dir}/late`)).code).toBe(2);
      expect(await connectionPid(pool)).toBe(pid);
    });

    test('close() rejects who waits, ends what runs, and is quick', async () => {
      const pool = makePool(sshd.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
      const [held] = await hold(pool, 1);
      const waiting = failure(pool.open('true'));
      const started = performance.now();
      await pool.close();
      expect(performance.now() - started).toBeLessThan(1000);
      expect((await waiting).code).toBe('SHUTTING_DOWN');
      expect(await held?.closed).toMatchObject({ reason: 'disconnected' });
      expect((await failure(pool.open('true'))).code).toBe('SHUTTING_DOWN');
    });
  });

  describe('the way there', () => {
    test('a refused port fails all who wait, at once', async () => {
      const pool = makePool(sshd.target({ port: await freePort() }));
      const errors = await Promise.all(Array.from({ length: 5 }, () => failure(pool.open('true'))));
      expect(errors.map((error) => error.code)).toEqual(Array(5).fill('SSH_UNREACHABLE'));
      expect(errors[0]?.message).toContain('refused');
      expect(errors[0]?.hint).toContain('SSH_PORT');
    });

    test('a name that does not exist', async () => {
      const error = await failure(makePool(sshd.target({ host: 'no-such-host.invalid' })).open('true'));
      expect(error.code).toBe('SSH_UNREACHABLE');
      expect(error.hint).toContain('HOST');
    });

    test.each([
      ['hangs up', (port: number) => `port ${port} by SSH: it hung up before it said hello`],
      ['says nothing', () => 'no answer within 0.4 s'],
      ['speaks HTTP', () => 'by SSH: '],
    ])('a port whose server %s', async (kind, words) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (kind === 'hangs up') socket.destroy();
        if (kind === 'speaks HTTP') socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      try {
        const error = await failure(makePool(sshd.target({ port }), { readyTimeoutMs: 400 }).open('true'));
        expect(error.code).toBe('SSH_UNREACHABLE');
        expect(error.message).toContain(words(port));
      } finally {
        server.close();
      }
    });

    test('where no further connection is to be had, those who wait get the sessions that there are', async () => {
      const server = createServer((socket) => {
        server.close();
        socket.on('error', () => {});
        socket.pipe(connect(sshd.port, '127.0.0.1')).pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const logger = recordingLogger();
      const pool = makePool(sshd.target({ port }), { logger, maxSessionsPerConnection: 2 });
      const held = await hold(pool, 1);
      const waiting = run(pool, 'echo in');
      await sleep(1500);
      expect(logger.warnings.join()).toContain('no further connection');
      expect(logger.warnings.length).toBeLessThan(4);
      await release(held);
      expect((await waiting).stdout).toBe('in\n');
    });

    test('an sshd that drops the first tries, as when too many log in', async () => {
      let tries = 0;
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (++tries <= 2) return socket.destroy();
        const onward = connect(sshd.port, '127.0.0.1');
        onward.on('error', () => socket.destroy());
        socket.pipe(onward).pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      try {
        expect((await run(makePool(sshd.target({ port })), 'echo in')).stdout).toBe('in\n');
        expect(tries).toBe(3);
      } finally {
        await closePools();
        server.close();
      }
    });

    test('close() gives up a connection that is being set up', async () => {
      const server = createServer((socket) => socket.resume());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const pool = makePool(sshd.target({ port }));
      const opening = failure(pool.open('true'));
      await sleep(100);
      await pool.close();
      expect((await opening).code).toBe('SHUTTING_DOWN');
      // Only if the socket has been dropped does the server close.
      await new Promise((resolve) => server.close(resolve));
    });

    test('through a jump host, each hop with its own host key', async () => {
      const jump = await startSshd();
      try {
        const hop = jump.target();
        const target = sshd.target({ jumps: [hop] });
        const pool = makePool(target);
        expect(await run(pool, 'echo through')).toMatchObject({ stdout: 'through\n', code: 0 });
        await pool.close();
        await expect.poll(() => jump.connections() + sshd.connections()).toBe(0);
        const wrongHop = jump.target({ identityFiles: [makeKey(jump.dir, 'stranger')] });
        const refused = await failure(makePool(sshd.target({ jumps: [wrongHop] })).open('true'));
        expect(refused.code).toBe('SSH_AUTH_FAILED');
        expect(refused.message).toContain(`127.0.0.1:${jump.port}`);
        const strictHop = jump.target({ hostKeyPolicy: 'strict' });
        const unknown = await failure(makePool(sshd.target({ jumps: [strictHop] })).open('true'));
        expect(unknown.code).toBe('HOST_KEY_UNKNOWN');
        const nowhere = sshd.target({ jumps: [hop], port: await freePort() });
        const noWay = await failure(makePool(nowhere).open('true'));
        expect(noWay.code).toBe('SSH_UNREACHABLE');
        expect(noWay.message).toContain('the jump host 127.0.0.1 does not lead there');
      } finally {
        await jump.stop();
      }
    });

    test('a target that is lost behind a jump host that is not', async () => {
      const jump = await startSshd();
      try {
        const pool = makePool(sshd.target({ jumps: [jump.target()] }));
        const pid = await connectionPid(pool);
        const channel = await pool.open('sleep 20');
        const started = performance.now();
        process.kill(pid, 'SIGKILL');
        expect(await channel.closed).toMatchObject({ reason: 'disconnected' });
        expect(performance.now() - started).toBeLessThan(1000);
        await expect.poll(() => jump.connections()).toBe(0);
      } finally {
        await jump.stop();
      }
    });

    test('a jump host that vanishes takes the connection with it', async () => {
      const jump = await startSshd();
      try {
        const pool = makePool(sshd.target({ jumps: [jump.target()] }));
        const channel = await pool.open('sleep 20');
        jump.killConnections();
        expect(await channel.closed).toMatchObject({ reason: 'disconnected' });
        expect((await run(pool, 'echo again')).stdout).toBe('again\n');
      } finally {
        await jump.stop();
      }
    });
  });
});
