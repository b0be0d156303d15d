import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RemoteCall } from '../../src/remote/remote-call.ts';
import { RemoteShell } from '../../src/remote/remote-shell.ts';
import { shellArgv } from '../../src/remote/session-requests.ts';
import type { SshPoolOptions } from '../../src/ssh/pool.ts';
import { until } from '../rig/until.ts';
import { closePools, makePool } from '../ssh/helpers.ts';
import { noSshd, type Sshd, startSshd } from '../ssh/sshd.ts';

function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('V8 offers no garbage collection');
  collect();
}

const quiet = { debug() {}, warn() {} };
const limit = { timeoutMs: 10_000 };

function shellOn(sshd: Sshd, { idleMs, ...options }: Partial<SshPoolOptions> = {}) {
  const pool = makePool(sshd.target(), options);
  const sessions = { sudo: false, logger: quiet, ...(idleMs === undefined ? {} : { idleMs }) };
  return { pool, shell: new RemoteShell(pool, sessions) };
}

/** The shells that wait for a request on the only connection. */
async function waiting(shell: RemoteShell): Promise<number[]> {
  const { stdout } = await shell.script('pgrep -P $PPID -fx /bin/sh', [], limit);
  return stdout.trim().split('\n').filter(Boolean).map(Number);
}

describe.skipIf(noSshd)('sessions, on a real sshd', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  afterEach(closePools);

  test('are kept ready, three at a time, after the first use', async () => {
    const { shell } = shellOn(sshd);
    await shell.script(':', [], limit);
    await until(async () => (await waiting(shell)).length === 3);
    await sleep(300);
    expect(await waiting(shell)).toHaveLength(3);
  });

  test('are closed when idle, except for one', async () => {
    const { shell } = shellOn(sshd, { idleMs: 2_000 });
    const parent = (await shell.script('echo $PPID', [], limit)).stdout.trim();
    // Asked without a session, because a session in use is not idle.
    const shells = () =>
      spawnSync('pgrep', ['-P', parent, '-fx', '/bin/sh'], { encoding: 'utf8' }).stdout.match(/\d+/g) ?? [];
    await until(() => shells().length === 3);
    await until(() => shells().length === 1);
    await sleep(3_000);
    expect(shells()).toHaveLength(1);
    // The remaining session answers, and new ones are prepared.
    expect((await shell.script('echo $$', [], limit)).stdout.trim()).toBe(shells()[0]);
    await until(() => shells().length === 3);
  });

  test('are opened outside of the time limit of a script', async () => {
    const slow = await startSshd();
    try {
      writeFileSync(`${slow.dir}/.bashrc`, 'sleep 4\n');
      const { shell } = shellOn(slow);
      const output = await shell.script('echo read', [], { timeoutMs: 3_500, readsPmxcfs: true });
      expect(output).toMatchObject({ ended: 'exit', stdout: 'read\n' });
    } finally {
      await slow.stop();
    }
  });

  test('are reused for host-side scripts, and never for commands', async () => {
    const { shell } = shellOn(sshd);
    const pids = new Set<string>();
    for (let i = 0; i < 12; i++) pids.add((await shell.script('echo $$', [], limit)).stdout);
    expect(pids.size).toBeLessThan(4);
    const commands = new Set<string>();
    for (let i = 0; i < 5; i++) commands.add((await shell.command(['sh', '-c', 'echo $$'], limit)).stdout);
    expect(commands.size).toBe(5);
  });

  test('keep no output of a script in memory when they are reused', async () => {
    const { shell } = shellOn(sshd);
    const outputs: WeakRef<object>[] = [];
    for (let i = 0; i < 5; i++) outputs.push(new WeakRef(await shell.script('echo $$', [], limit)));
    // References live until the end of the turn of the event loop.
    await sleep(10);
    collectGarbage();
    expect(outputs.filter((output) => output.deref() !== undefined)).toEqual([]);
  });

  test('pass on no pipe inherited by a command to later calls and scripts', async () => {
    const { shell } = shellOn(sshd);
    const pipes = 'readlink /proc/$$/fd/1; readlink /proc/$$/fd/2';
    /** As a tool runs a command. The child that it leaves behind keeps its pipes open. */
    const command = async () => {
      const call = await RemoteCall.start(shell, {
        target: { kind: 'host' },
        argv: () => shellArgv(`${pipes}; sleep 2 & exit 0`, []),
        precondition: null,
        input: false,
        signal: new AbortController().signal,
        hurried: () => false,
      });
      let text = '';
      call.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      call.stderr.resume();
      await call.exit();
      call.ended();
      await call.stopped;
      return text.trim().split('\n');
    };
    const script = async () => (await shell.script(pipes, [], limit)).stdout.trim().split('\n');
    const inherited = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const own = await command();
      expect(own).toEqual([expect.stringMatching(/^pipe:/), expect.stringMatching(/^pipe:/)]);
      for (const pipe of own) expect(inherited).not.toContain(pipe);
      for (const pipe of own) inherited.add(pipe);
      for (const pipe of await script()) expect(inherited).not.toContain(pipe);
    }
  });

  test('pass arguments to a script unchanged, including newlines, and report its exit code', async () => {
    const { shell } = shellOn(sshd);
    const args = ['a b', "it's", 'two\nlines', '$(id) `id` \\ "', ''];
    const script = 'printf "<%s>" "$@"; echo "$n item key a value"; echo err >&2; exit 7';
    const output = await shell.script(script, args, limit);
    expect(output).toMatchObject({ code: 7, stderr: 'err\n', ended: 'exit', items: [['key', 'a value']] });
    expect(output.stdout).toBe(args.map((arg) => `<${arg}>`).join(''));
    expect((await shell.script('echo again', [], limit)).stdout).toBe('again\n');
  });

  test('survive an exit, a syntax error or a failed redirection of a script', async () => {
    const { shell } = shellOn(sshd);
    const pid = (await shell.script('echo $$', [], limit)).stdout;
    for (const script of [
      'exit 3',
      '. /no/such/file',
      ': >/no/such/dir/file',
      "kill -9 $(sh -c 'echo $PPID')",
    ]) {
      expect((await shell.script(script, [], limit)).code).not.toBe(0);
      expect((await shell.script('echo $$', [], limit)).ended, script).toBe('exit');
    }
    const pids = new Set<string>();
    for (let i = 0; i < 6; i++) pids.add((await shell.script('echo $$', [], limit)).stdout);
    expect([...pids]).toContain(pid);
  });

  test('are replaced when killed while waiting', async () => {
    const { shell } = shellOn(sshd);
    await shell.script(':', [], limit);
    await until(async () => (await waiting(shell)).length === 3);
    for (const pid of await waiting(shell)) process.kill(pid, 'SIGKILL');
    const results = await Promise.all([1, 2, 3].map((n) => shell.command(['echo', `${n}`], limit)));
    expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n']);
  });

  test('are retried once in another session when closed at the same moment', async () => {
    const { shell } = shellOn(sshd);
    const file = `${sshd.dir}/once`;
    for (let i = 0; i < 5; i++) {
      await until(async () => (await waiting(shell)).length >= 2);
      const pids = await waiting(shell);
      const running = shell.command(['sh', '-c', `echo x >>${file}`], limit);
      for (const pid of pids) process.kill(pid, 'SIGTERM');
      expect((await running).ended).toMatch(/exit/);
    }
    expect(readFileSync(file, 'utf8')).toBe('x\n'.repeat(5));
  });

  test('lose no output that is read long after the exit', async () => {
    const { shell } = shellOn(sshd);
    const { channel } = await shell.sessions.take();
    const bytes = 200_000;
    const print = `head -c ${bytes} /dev/zero`;
    channel.stdin.write(`${print}; ${print} >&2; exit\n`);
    await channel.exited;
    // What arrives with the exit is still unread: the handshake must not consume it.
    await sleep(300);
    const size = async (stream: AsyncIterable<Buffer>) => {
      let total = 0;
      for await (const chunk of stream) total += chunk.length;
      return total;
    };
    expect(await Promise.all([size(channel.stdout), size(channel.stderr)])).toEqual([bytes, bytes]);
  });

  test('are replaced after a lost connection', async () => {
    const { shell, pool } = shellOn(sshd);
    await shell.script(':', [], limit);
    sshd.killConnections();
    await until(() => !pool.connected);
    expect((await shell.script('echo again', [], limit)).stdout).toBe('again\n');
  });

  test('are used one at a time by a hanging read, whatever the number of waiting calls', async () => {
    const { shell } = shellOn(sshd);
    const file = `${sshd.dir}/hangs`;
    const read = () => shell.script(`echo x >>${file}; sleep 5`, [], { timeoutMs: 800, readsPmxcfs: true });
    const ends = [];
    for (let i = 0; i < 4; i++) ends.push((await read()).ended);
    expect(ends).toEqual(['timeout', 'timeout', 'timeout', 'timeout']);
    expect(readFileSync(file, 'utf8')).toBe('x\n');
    expect((await shell.script('echo other', [], limit)).stdout).toBe('other\n');
    await until(async () => shell.pmxcfsAnswers('inventory', 0));
  });

  test.each([1, 2, 4])('work with an sshd that grants %i sessions', async (sessions) => {
    const small = await startSshd({ config: [`MaxSessions ${sessions}`] });
    try {
      const { shell } = shellOn(small);
      const work = Array.from({ length: 12 }, (_, i) =>
        shell.command(['sh', '-c', `sleep 0.2; echo ${i}`], limit),
      );
      const kill = shell.script('echo kill', [], limit);
      expect((await kill).stdout).toBe('kill\n');
      expect((await Promise.all(work)).map(({ stdout }) => stdout)).toEqual(work.map((_, i) => `${i}\n`));
    } finally {
      await small.stop();
    }
  });
});
