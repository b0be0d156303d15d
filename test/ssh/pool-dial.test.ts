import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closedPort } from '../ports.ts';
import { until } from '../rig/until.ts';
import {
  closePools,
  connectionPid,
  failure,
  hold,
  listen,
  makePool,
  recordingLogger,
  release,
  run,
} from './helpers.ts';
import { makeKey, noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('connecting to a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('rejects every waiting caller at once on a refused port', async () => {
    const pool = makePool(sshd.target({ port: await closedPort() }));
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(pool.open('true'))));
    expect(errors.map((error) => error.code)).toEqual(Array(5).fill('SSH_UNREACHABLE'));
    expect(errors[0]?.message).toContain('refused');
    expect(errors[0]?.hint).toContain('SSH_PORT');
  });

  test('reports an unknown host name', async () => {
    const error = await failure(makePool(sshd.target({ host: 'no-such-host.invalid' })).open('true'));
    expect(error.code).toBe('SSH_UNREACHABLE');
    expect(error.hint).toContain('HOST');
  });

  test.each([
    [
      'closes the connection',
      (port: number) => `port ${port} by SSH: the server closed the connection before it identified itself`,
    ],
    ['sends nothing', () => 'no answer within 0.4 s'],
    ['speaks HTTP', () => 'by SSH: '],
  ])('reports a port whose server %s', async (kind, words) => {
    const { server, port } = await listen((socket) => {
      socket.on('error', () => {});
      if (kind === 'closes the connection') socket.destroy();
      if (kind === 'speaks HTTP') socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    try {
      const options = kind === 'sends nothing' ? { readyTimeoutMs: 400 } : {};
      const error = await failure(makePool(sshd.target({ port }), options).open('true'));
      expect(error.code).toBe('SSH_UNREACHABLE');
      expect(error.message).toContain(words(port));
    } finally {
      server.close();
    }
  });

  test('runs waiting calls in existing sessions when another connection cannot be opened', async () => {
    const { server, port } = await listen((socket) => {
      server.close();
      socket.on('error', () => {});
      socket.pipe(connect(sshd.port, '127.0.0.1')).pipe(socket);
    });
    const logger = recordingLogger();
    const pool = makePool(sshd.target({ port }), { logger, maxSessionsPerConnection: 2 });
    const held = await hold(pool, 1);
    const waiting = run(pool, 'echo in');
    await until(() => logger.warnings.join().includes('could not open another connection'));
    expect(logger.warnings.length).toBeLessThan(4);
    await release(held);
    expect((await waiting).stdout).toBe('in\n');
  });

  test('retries when sshd drops connections', async () => {
    let tries = 0;
    const { server, port } = await listen((socket) => {
      socket.on('error', () => {});
      if (++tries <= 2) return socket.destroy();
      const onward = connect(sshd.port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
    try {
      expect((await run(makePool(sshd.target({ port })), 'echo in')).stdout).toBe('in\n');
      expect(tries).toBe(3);
    } finally {
      await closePools();
      server.close();
    }
  });

  test('aborts a connection attempt on close()', async () => {
    const { server, port } = await listen((socket) => socket.resume());
    const pool = makePool(sshd.target({ port }));
    const opening = failure(pool.open('true'));
    await sleep(100);
    await pool.close();
    expect((await opening).code).toBe('SHUTTING_DOWN');
    // The server closes only if the socket was dropped.
    await new Promise((resolve) => server.close(resolve));
  });

  test('verifies the host key of each hop through a jump host', async () => {
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
      const nowhere = sshd.target({ jumps: [hop], port: await closedPort() });
      const noWay = await failure(makePool(nowhere).open('true'));
      expect(noWay.code).toBe('SSH_UNREACHABLE');
      expect(noWay.message).toContain('the jump host 127.0.0.1 cannot connect to it');
    } finally {
      await jump.stop();
    }
  });

  test('detects a lost target behind a working jump host', async () => {
    const jump = await startSshd();
    try {
      const pool = makePool(sshd.target({ jumps: [jump.target()] }));
      const pid = await connectionPid(pool);
      const channel = await pool.open('sleep 20');
      const started = performance.now();
      process.kill(pid, 'SIGKILL');
      expect(await channel.closed).toMatchObject({ reason: 'disconnected' });
      expect(performance.now() - started).toBeLessThan(10_000);
      await expect.poll(() => jump.connections()).toBe(0);
    } finally {
      await jump.stop();
    }
  });

  test('detects a lost jump host', async () => {
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
