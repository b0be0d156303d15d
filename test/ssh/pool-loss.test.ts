import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closePools, connectionPid, failure, hold, makePool, recordingLogger, run } from './helpers.ts';
import { noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('loss of the connection to a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('ends its channels as disconnected at once, and the next open reconnects', async () => {
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
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(pool.connected).toBe(false);
    expect((await run(pool, 'echo again')).stdout).toBe('again\n');
    expect(await connectionPid(pool)).not.toBe(pid);
  });

  test('is reported to a writer', async () => {
    const pool = makePool(sshd.target());
    const pid = await connectionPid(pool);
    const channel = await pool.open('head -c 10000000 /dev/zero; sleep 20');
    const zeros = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1_000_000);
      })(),
    );
    const writing = pipeline(zeros, channel.stdin).then(
      () => 'written',
      () => 'failed',
    );
    await sleep(200);
    process.kill(pid, 'SIGKILL');
    expect(await writing).toBe('failed');
  });

  test('completes the callback of a pending write', async () => {
    const pool = makePool(sshd.target());
    const pid = await connectionPid(pool);
    const channel = await pool.open('sleep 20');
    const written = new Promise((resolve) => channel.stdin.write(Buffer.alloc(10_000_000), resolve));
    await sleep(200);
    process.kill(pid, 'SIGKILL');
    expect(await written).toBeInstanceOf(Error);
  });

  test('is detected by missing keepalive replies', async () => {
    const logger = recordingLogger();
    const pool = makePool(sshd.target(), { logger, keepaliveMs: 300, deadAfterMs: 2_000 });
    const pid = await connectionPid(pool);
    const channel = await pool.open('sleep 20');
    // A silent command is not a silent peer: keepalives keep the connection open.
    await sleep(3000);
    expect(pool.connected).toBe(true);
    process.kill(pid, 'SIGSTOP');
    try {
      const started = performance.now();
      expect(await channel.closed).toMatchObject({ reason: 'disconnected' });
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(logger.warnings.join()).toContain('no data from the SSH server');
      expect((await run(pool, 'echo again')).stdout).toBe('again\n');
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  test('is assumed when an open is not answered, and the command runs once on another connection', async () => {
    // Longer than a busy machine needs to open a session.
    const pool = makePool(sshd.target(), { openTimeoutMs: 2_000 });
    const pid = await connectionPid(pool);
    const file = `${sshd.dir}/ran`;
    process.kill(pid, 'SIGSTOP');
    expect((await run(pool, `echo x >> ${file}; echo ran`)).stdout).toBe('ran\n');
    expect(await connectionPid(pool)).not.toBe(pid);
    process.kill(pid, 'SIGCONT');
    await sleep(500);
    expect((await run(pool, `cat ${file}`)).stdout).toBe('x\n');
  });

  test('is not assumed after a cancelled open, which sends nothing', async () => {
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

  test('is caused by close(), which rejects waiting calls and ends running ones quickly', async () => {
    const pool = makePool(sshd.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
    const [held] = await hold(pool, 1);
    const waiting = failure(pool.open('true'));
    const started = performance.now();
    await pool.close();
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await waiting).code).toBe('SHUTTING_DOWN');
    expect(await held?.closed).toMatchObject({ reason: 'disconnected' });
    expect((await failure(pool.open('true'))).code).toBe('SHUTTING_DOWN');
  });
});
