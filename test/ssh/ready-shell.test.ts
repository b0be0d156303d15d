import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SshPool } from '../../src/ssh/pool.ts';
import { until } from '../rig/until.ts';
import { closePools, failure, makePool, run } from './helpers.ts';
import { noSshd, type Sshd, startSshd } from './sshd.ts';

const noInput = { noInput: true };

/** Runs commands until one is run by a shell that had been waiting for it. */
async function untilReady(pool: SshPool): Promise<void> {
  await until(async () => (await run(pool, 'exec echo "$0"', noInput)).stdout === '/bin/sh\n');
  await sleep(200);
}

/** The shell that waits now, as a child of the process that serves the connection. */
async function waitingShell(pool: SshPool): Promise<number> {
  const { stdout } = await run(pool, 'pgrep -P $PPID -fx /bin/sh');
  expect(stdout).toMatch(/^\d+\n$/);
  return Number(stdout);
}

describe.skipIf(noSshd)('a shell that waits for the next command', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('the command has streams, an exit code and an end of its own', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    const line = `exec sh -c 'echo "$0 $1"; echo err >&2; cat; exit 42' /bin/sh 'a
b'`;
    const expected = { stdout: '/bin/sh a\nb\n', stderr: 'err\n', code: 42, signal: null, reason: 'closed' };
    expect(await run(pool, line, noInput)).toEqual(expected);
  });

  test('a line of 100 kB', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    const { stdout } = await run(pool, `exec printf %s '${'x'.repeat(100_000)}'`, noInput);
    expect(stdout).toHaveLength(100_000);
  });

  test('many at once, of which it takes the first', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => run(pool, `exec echo ${index}`, noInput)),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
  });

  test('none waits where commands with input are all there is', async () => {
    const pool = makePool(sshd.target());
    await run(pool, 'true');
    await sleep(200);
    expect((await run(pool, 'pgrep -P $PPID -fx /bin/sh')).stdout).toBe('');
  });

  test('it makes room when its session is needed', async () => {
    const pool = makePool(sshd.target(), { maxSessionsPerConnection: 3, maxConnections: 1 });
    await untilReady(pool);
    const channels = await Promise.all([pool.open('cat'), pool.open('cat')]);
    expect(sshd.connections()).toBe(1);
    for (const channel of channels) channel.close();
  });

  test('one that was killed while it waited is not missed', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    process.kill(await waitingShell(pool), 'SIGKILL');
    expect((await run(pool, 'exec echo fine', noInput)).stdout).toBe('fine\n');
  });

  test('one that does not answer gets no command: it is run once, in a session of its own', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    const shell = await waitingShell(pool);
    process.kill(shell, 'SIGSTOP');
    const file = `${sshd.dir}/ran`;
    expect((await run(pool, `exec sh -c 'echo x | tee -a ${file}'`, noInput)).stdout).toBe('x\n');
    process.kill(shell, 'SIGCONT');
    await sleep(300);
    expect((await run(pool, `cat ${file}`)).stdout).toBe('x\n');
  });

  test('who gives up while it is asked is told that nothing was run', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    const shell = await waitingShell(pool);
    process.kill(shell, 'SIGSTOP');
    const abort = new AbortController();
    const file = `${sshd.dir}/late`;
    const opening = failure(pool.open(`exec touch ${file}`, { noInput: true, signal: abort.signal }));
    await sleep(50);
    abort.abort();
    expect((await opening).code).toBe('CANCELLED');
    process.kill(shell, 'SIGCONT');
    await sleep(300);
    expect((await run(pool, `ls ${file}`)).code).toBe(2);
  });

  test('a lost connection is replaced as ever', async () => {
    const pool = makePool(sshd.target());
    await untilReady(pool);
    sshd.killConnections();
    await until(() => !pool.connected);
    expect((await run(pool, 'exec echo again', noInput)).stdout).toBe('again\n');
    await untilReady(pool);
  });
});

describe.skipIf(noSshd)('an sshd that forces a command of its own', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd({ config: ['ForceCommand echo "$SSH_ORIGINAL_COMMAND" | tee -a "$HOME/forced"'] });
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('is asked for a waiting shell once', async () => {
    const pool = makePool(sshd.target());
    for (let i = 0; i < 3; i++) {
      expect((await run(pool, 'exec something', noInput)).stdout).toBe('exec something\n');
      await sleep(200);
    }
    const forced = readFileSync(`${sshd.dir}/forced`, 'utf8');
    expect(forced.match(/^exec \/bin\/sh$/gm)).toHaveLength(1);
  });
});
