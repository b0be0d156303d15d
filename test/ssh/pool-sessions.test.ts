import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closePools, failure, hold, makePool, recordingLogger, release, run } from './helpers.ts';
import { noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('sessions of the pool, on a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('open for 64 concurrent calls on few connections', async () => {
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

  test('share one connection for short commands', async () => {
    const logger = recordingLogger();
    const pool = makePool(sshd.target(), { logger });
    for (let i = 0; i < 20; i++) await run(pool, 'true');
    expect(logger.lines.filter((line) => line.includes(': trying '))).toHaveLength(1);
  });

  test('are reserved for control requests while all others are in use', async () => {
    const pool = makePool(sshd.target(), { maxConnections: 1 });
    const held = await hold(pool, 9);
    const tenth = run(pool, 'echo tenth');
    const waiting = Promise.race([tenth.then(() => 'ran'), sleep(400, 'waits')]);
    expect(await run(pool, 'echo kill', { priority: 'control' })).toMatchObject({ stdout: 'kill\n' });
    expect(await waiting).toBe('waits');
    await release(held);
    expect((await tenth).stdout).toBe('tenth\n');
  });

  test('are given to control requests before earlier work', async () => {
    const pool = makePool(sshd.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
    const held = await hold(pool, 1);
    const order: string[] = [];
    const work = run(pool, 'true').then(() => order.push('work'));
    const control = run(pool, 'true', { priority: 'control' }).then(() => order.push('control'));
    await release(held);
    await Promise.all([work, control]);
    expect(order).toEqual(['control', 'work']);
  });

  test('are not opened for an aborted request', async () => {
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

  test('are closed with idle extra connections, of which one stays', async () => {
    const logger = recordingLogger();
    const pool = makePool(sshd.target(), { logger, maxSessionsPerConnection: 2, idleMs: 200 });
    await release(await hold(pool, 3));
    expect(sshd.connections()).toBeGreaterThan(1);
    await expect.poll(() => sshd.connections()).toBe(1);
    expect(pool.connected).toBe(true);
  });

  test('are limited by an sshd with MaxSessions 4', async () => {
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

  test('are not requested repeatedly after a refusal', async () => {
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

  test('are retried when sshd has not freed one yet', async () => {
    // sshd refuses an open that arrives together with the answer to a close; here nearly all of them do.
    const single = await startSshd({ config: ['MaxSessions 1'] });
    try {
      const pool = makePool(single.target(), { maxConnections: 1, maxSessionsPerConnection: 1 });
      const results = await Promise.all(Array.from({ length: 100 }, () => run(pool, 'echo in')));
      expect(new Set(results.map((result) => result.stdout))).toEqual(new Set(['in\n']));
    } finally {
      await single.stop();
    }
  });

  test('are reported as unavailable with MaxSessions 0', async () => {
    const none = await startSshd({ config: ['MaxSessions 0'] });
    try {
      expect((await failure(run(makePool(none.target()), 'true'))).code).toBe('SSH_NO_SESSION');
    } finally {
      await none.stop();
    }
  });

  test('open despite an sshd that drops most concurrent logins', async () => {
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
