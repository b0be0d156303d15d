import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closePools, makePool, run } from './helpers.ts';
import { noSshd, type Sshd, startSshd } from './sshd.ts';

describe.skipIf(noSshd)('channels of the pool, on a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('return stdout, stderr and the exit code', async () => {
    const result = await run(makePool(sshd.target()), 'echo out; echo err >&2; exit 42');
    expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n', code: 42, signal: null, reason: 'closed' });
  });

  test('return a signal without SIG', async () => {
    expect(await run(makePool(sshd.target()), 'kill -KILL $$')).toMatchObject({
      code: null,
      signal: 'KILL',
    });
  });

  test('report the exit while a background child keeps the streams open', async () => {
    const channel = await makePool(sshd.target()).open('sleep 20 & echo $!; exit 7');
    channel.stdout.resume();
    expect(await channel.exited).toEqual({ code: 7, signal: null });
    const early = await Promise.race([channel.closed.then(() => 'closed'), sleep(300, 'open')]);
    expect(early).toBe('open');
    channel.close();
    expect(await channel.closed).toEqual({ code: 7, signal: null, reason: 'closed' });
  });

  test('apply backpressure for a slow reader, and lose no byte', async () => {
    const size = 60_000_000;
    const channel = await makePool(sshd.target()).open(`head -c ${size} /dev/zero; echo written >&2`);
    let written = false;
    channel.stderr.on('data', () => {
      written = true;
    });
    await sleep(700);
    expect(written).toBe(false);
    // The stream and ssh2 together buffer little more than the window.
    expect(channel.stdout.readableLength).toBeLessThan(1_000_000);
    let received = 0;
    for await (const chunk of channel.stdout) received += chunk.length;
    expect(received).toBe(size);
    expect(await channel.closed).toEqual({ code: 0, signal: null, reason: 'closed' });
    expect(written).toBe(true);
  });

  test('transfer 50 MB through stdin', async () => {
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

  test('report the end of the command to a writer', async () => {
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

  test('stay open after stdout has ended', async () => {
    const channel = await makePool(sshd.target()).open('exec 1>&-; sleep 0.3; echo late >&2; exit 5');
    for await (const _ of channel.stdout);
    let stderr = '';
    for await (const chunk of channel.stderr) stderr += chunk;
    expect(stderr).toBe('late\n');
    expect(await channel.closed).toEqual({ code: 5, signal: null, reason: 'closed' });
  });

  test('free the session on close() with unread output', async () => {
    const pool = makePool(sshd.target(), { maxConnections: 1 });
    for (let i = 0; i < 15; i++) {
      const channel = await pool.open('head -c 10000000 /dev/zero; exit 0');
      // Sometimes at once, sometimes after output has accumulated in this process.
      if (i % 5 === 0) await sleep(100);
      channel.close();
      await channel.closed;
    }
    expect((await run(pool, 'echo in')).stdout).toBe('in\n');
  });
});
