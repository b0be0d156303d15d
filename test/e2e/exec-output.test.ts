import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { uniqueSleep, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('exec: large output', [], (rig, { needing }) => {
  const node = useClient(rig, { CHARACTER_LIMIT: '2000' });

  test('keeps head and tail, counts the rest, and shares one limit between both streams', async () => {
    const result = await node.exec(CT.debian, 'seq 100000; seq 100000 >&2; exit 5');
    expect(result).toMatchObject({ exit_code: 5, stdout_truncated: true, stderr_truncated: true });
    expect(result.stdout_original_length).toBe(588_895);
    expect(result.stderr_original_length).toBe(588_895);
    expect(result.stdout.length + result.stderr.length).toBeLessThanOrEqual(2000);
    for (const stream of [result.stdout, result.stderr]) {
      expect(stream.length).toBeGreaterThanOrEqual(450);
      expect(stream).toMatch(/^1\n2\n3\n/);
      expect(stream).toMatch(/99999\n100000\n$/);
    }
  });

  test('a call can request less output and only one end of it, but not more than the operator allows', async () => {
    const tail = await node.exec(CT.debian, 'seq 10000', { max_output: 200, keep: 'tail' });
    expect(tail.stdout).toMatch(/^\n\[\.\.\. \d+ of 48894 characters omitted \.\.\.\]\n[\d\n]+\n10000\n$/);
    expect(tail.text).toContain('STDOUT (cut; 48894 characters in 10000 lines in all):');
    const head = await node.exec(CT.debian, 'seq 10000', { max_output: 200, keep: 'head' });
    expect(head.stdout).toMatch(/^1\n2\n[\d\n]+\n\[\.\.\. \d+ of 48894 characters omitted \.\.\.\]\n$/);
    expect(head.stdout.length).toBeLessThanOrEqual(200);
    const more = await node.exec(CT.debian, 'seq 10000', { max_output: 1_000_000 });
    expect(more.stdout.length).toBeLessThanOrEqual(2000);
    expect(more.stdout.length).toBeGreaterThan(1900);
  });

  needing(
    'volume',
    'reads a gigabyte in constant memory',
    async () => {
      const result = await node.exec(CT.debian, `head -c 1073741824 /dev/zero | tr '\\0' x; echo end`, {
        timeout: 300,
      });
      expect(result).toMatchObject({ exit_code: 0, stdout_original_length: 1_073_741_828 });
      expect(result.stdout).toMatch(/x\nend\n$|xend\n$/);
      const peak = Number(
        /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${node.client.pid}/status`, 'utf8'))?.[1],
      );
      expect(peak).toBeLessThan(250 * 1024); // run from sources; the built server is measured by the benchmark
    },
    310_000,
  );
});

describeNode('exec: background processes', [], (rig) => {
  const node = useClient(rig);

  test('do not delay the call, which reports the held output and how to redirect it', async () => {
    const seconds = uniqueSleep();
    const result = await node.exec(CT.debian, `sleep ${seconds} & echo started`);
    expect(result).toMatchObject({ stdout: 'started\n', exit_code: 0, output_held: true });
    expect(result.duration_ms).toBeLessThan(5_000);
    expect(result.text).toContain('>/tmp/out 2>&1 </dev/null &');
    expect(await rig.containerProcesses(CT.debian, `sleep ${seconds}`)).toHaveLength(1);
    await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${seconds}`]);
  });

  test('with redirected output are not reported', async () => {
    const seconds = uniqueSleep();
    const result = await node.exec(
      CT.debian,
      `nohup sleep ${seconds} >/tmp/out 2>&1 </dev/null & echo started`,
    );
    expect(result).toMatchObject({ output_held: false, exit_code: 0 });
    await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${seconds}`]);
  });

  test('succeed in any number, but only the latest 32 keep their channel', async () => {
    const seconds = uniqueSleep();
    // Each writes after its channel is closed and is killed by that; those that are drained survive.
    const command = `(trap '' PIPE; while sleep 0.2; do echo tick || exit; done; : ${seconds}) & echo started`;
    for (let i = 0; i < 40; i += 8) {
      const results = await Promise.all(Array.from({ length: 8 }, () => node.exec(CT.debian, command)));
      for (const result of results) expect(result).toMatchObject({ exit_code: 0, output_held: true });
    }
    expect(await node.exec(CT.debian, 'echo next')).toMatchObject({ stdout: 'next\n' });
    const shells = async () =>
      (await rig.containerProcesses(CT.debian, seconds))
        .filter(({ comm }) => comm !== 'sleep')
        .map(({ pid }) => pid);
    // Twice, because a child that has not yet become a sleep has the same arguments.
    const left = async () => {
      const before = await shells();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return (await shells()).filter((pid) => before.includes(pid)).length;
    };
    await until(async () => (await left()) <= 32);
    // Longer than the time between two of their writes.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await left()).toBe(32);
    await rig.inContainer(CT.debian, ['pkill', '-KILL', '-f', seconds]);
  });
});

describeNode('exec: concurrent calls', [], (rig) => {
  const node = useClient(rig);

  test('run 64 commands at once, each with its own result', async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, i) => node.exec(CT.debian, `sleep 0.5; echo ${i}; exit ${i}`)),
    );
    results.forEach((result, i) => {
      expect(result).toMatchObject({ stdout: `${i}\n`, exit_code: i, ended: 'exit' });
    });
  });
});
