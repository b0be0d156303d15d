import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start();
});
afterAll(() => simulator.stop());

const run = (script: string) => simulator.container(101).run(['sh', '-c', script]);

test.each([
  ['echo a; exec echo b; echo never', 'a\nb\n'],
  ['if true; then exec echo x; fi; echo no', 'x\n'],
  ['x=5; f() { echo "in $x"; }; f; f | cat; for i in 1 2; do f; done', 'in 5\nin 5\nin 5\nin 5\n'],
  ['cd /tmp && pwd; (cd /; pwd); pwd', '/tmp\n/\n/tmp\n'],
  ['cat <<E > /tmp/f\nhe"llo $HOME\nE\ncat /tmp/f', 'he"llo /root\n'],
  ["cat <<'E' | tr a-z A-Z\nit's $x\nE\necho after", "IT'S $X\nafter\n"],
  ['while read l; do echo "<$l>"; done <<E\n1\n2\nE', '<1>\n<2>\n'],
  ['yes | head -2', 'y\ny\n'],
  ['seq 5 | tail -n 2', '4\n5\n'],
  ['sleep 0.1 & sleep 0.2 & wait; echo waited', 'waited\n'],
  ['timeout 0.2 sleep 5; echo $?', '124\n'],
  ['sh -c "exit 7"; echo $?', '7\n'],
  ['env -i A=1 sh -c "echo [$A$HOME]" ; A=2 env | grep ^A', '[/root]\nA=2\n'],
  ['echo x > /tmp/log; (sleep 0.2; echo y >> /tmp/log) & timeout 0.6 tail -f /tmp/log', 'x\ny\n'],
  ["trap 'echo bye' EXIT; echo hi", 'hi\nbye\n'],
  ['kill -0 $$ && echo alive; (kill -9 $$); echo never', 'alive\n'],
  ['l=2; while [ $l -gt 0 ]; do for i in 1; do break; done; l=$((l-1)); done; echo $?', '0\n'],
  ['printf "b\\na\\n" | sort | while read l; do echo "$l"; done', 'a\nb\n'],
])('%s', async (script, stdout) => {
  expect(await run(script)).toMatchObject({ stdout, stderr: '' });
});

test('ends a script on set -e, and reports a syntax error', async () => {
  expect(await run('set -e; false; echo no')).toMatchObject({ code: 1, stdout: '' });
  expect(await run('echo "unclosed')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Unterminated quoted string'),
  });
});

test('streams output while the script runs', async () => {
  const running = run('for i in 1 2 3; do echo $i >> /tmp/steps; sleep 0.2; done');
  await expect.poll(() => simulator.container(101).files.exists('/tmp/steps')).toBe(true);
  expect(simulator.container(101).file('/tmp/steps')).toBe('1\n');
  await running;
});
