import { describe, expect, test } from 'vitest';
import { ScriptHost } from '../script-host.ts';

const host = new ScriptHost();
const run = async (script: string, env: Record<string, string> = {}) => {
  const { code, stdout } = await host.run(['sh', '-c', script], { env });
  return [code, stdout];
};

describe('processes of the simulated kernel', () => {
  test.each([
    ['a missing program', 'no-such-program', 127],
    ['a file without execute permission', 'echo x >/tmp/plain; /tmp/plain', 126],
    ['death by signal', '(exec sh -c "kill -TERM \\$\\$")', 143],
    ['a shell that kills itself', 'kill -9 $$', 137],
    [
      'a script with an interpreter',
      'printf "#!/bin/sh\\nexit \\$1\\n" >/tmp/script; chmod +x /tmp/script; /tmp/script 9',
      9,
    ],
    ['the last command of a pipeline', 'false | (exit 4)', 4],
  ])('exit code of %s', async (_name, script, code) => {
    expect((await run(script))[0]).toBe(code);
  });

  test('kills a writer with SIGPIPE when its reader has exited, unless the signal is ignored', async () => {
    expect(await run('(yes; echo $? >&2) | head -n 1; echo end')).toEqual([0, 'y\nend\n']);
    expect(
      await run("trap '' PIPE; { sleep 0.05; echo late; echo $? >/tmp/code; } | true; cat /tmp/code"),
    ).toEqual([0, '1\n']);
  });

  test('sed reads nothing after q, so it ends while another process keeps its pipe open', async () => {
    expect(await run('{ echo a; sleep 300 & } | sed q; echo end')).toEqual([0, 'a\nend\n']);
    const [left] = host.processes('sleep 300');
    expect(left).toBeDefined();
    left?.signal('KILL');
    expect(await run('echo a >/tmp/1; echo b >/tmp/2; sed q /tmp/1 /tmp/2')).toEqual([0, 'a\n']);
  });

  test('mkdir -p of the same directories at the same time succeeds everywhere', async () => {
    const both = Array.from({ length: 8 }, () => '(mkdir -p /new/a/b || echo failed) &').join(' ');
    expect(await run(`${both} wait`)).toEqual([0, '']);
  });

  test('runs both ends of a pipe concurrently, and blocks the writer on a full pipe', async () => {
    expect(await run('seq 100000 | { read -r first; sleep 0.05; tail -n 1; echo "$first"; }')).toEqual([
      0,
      '100000\n1\n',
    ]);
  });

  test('inherits environment, timer slack and ignored signals; a subshell resets traps', async () => {
    const script = `echo 70001 >/proc/self/timerslack_ns
      trap 'echo trapped' USR1
      (setsid sh -c 'cat /proc/$$/timerslack_ns; tr "\\0" "\\n" </proc/$$/environ | grep ^MARK')
      (trap)
      kill -USR1 $$; echo after`;
    expect(await run(script, { MARK: 'm1' })).toEqual([0, '70001\nMARK=m1\ntrapped\nafter\n']);
  });

  test('kill 0 signals the process group only', async () => {
    const script = `setsid sleep 30 & other=$!
      sh -c 'sleep 40 & sleep 40 & trap "exit 5" TERM; kill 0; sleep 1'; echo $?
      sleep 0.01; pgrep -fx "sleep 40" >/dev/null && echo left
      kill -0 $other && echo spared; kill $other`;
    expect(await host.run(['setsid', '-w', 'sh', '-c', `trap : TERM; ${script}`])).toMatchObject({
      stdout: '5\nspared\n',
    });
  });

  test('reparents an orphan to init', async () => {
    const [, stdout] = await run(
      `sh -c 'sleep 20 & echo $!' >/tmp/pid; read -r pid </tmp/pid; set -- $(cat /proc/$pid/stat); echo $4; kill $pid`,
    );
    const init = host.processes('/sbin/init')[0];
    expect(stdout).toBe(`${init?.pid}\n`);
  });

  test('a trapped signal interrupts wait', async () => {
    const script =
      "trap 'echo got' TERM; sleep 20 & (sleep 0.05; kill -TERM $$) & wait $!; wait; echo $?; kill %1 2>/dev/null";
    const before = performance.now();
    expect(
      (
        await run(
          `sleep 20 & child=$!; ${script.replace('sleep 20 & ', '').replace('wait $!; ', '')}; kill $child`,
        )
      )[1],
    ).toContain('got\n143\n');
    expect(performance.now() - before).toBeLessThan(15_000);
  });

  test('delivers pending signals to a stopped process after SIGCONT', async () => {
    expect(
      await run(
        'sleep 30 & kill -STOP $!; kill -TERM $!; kill -0 $! && echo alive; kill -CONT $!; wait $!; echo $?',
      ),
    ).toEqual([0, 'alive\n143\n']);
  });

  test('descriptors of a background process keep a pipe open', async () => {
    expect(await run('x=$( (sleep 0.1; echo late) & echo early); echo $x')).toEqual([0, 'early late\n']);
    expect(await run('x=$( (sleep 30 >/dev/null) & echo $!; ); kill $x; echo done')).toEqual([0, 'done\n']);
  });
});
