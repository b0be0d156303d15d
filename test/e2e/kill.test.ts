import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { uniqueSleep, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

/** Each leaves a `sleep N` unless it is found; N is unique, so that it can be found in the machine's /proc. */
const ESCAPES: readonly [name: string, command: (n: string) => string, containers: readonly number[]][] = [
  ['a plain command', (n) => `sleep ${n}`, [CT.debian, CT.busybox]],
  ['a child in the background', (n) => `sleep ${n} & wait`, [CT.debian, CT.busybox]],
  ['a setsid child', (n) => `setsid sleep ${n} & sleep ${n}`, [CT.debian, CT.busybox]],
  [
    'a process that ignores TERM',
    (n) => `trap '' TERM INT HUP; sleep ${n}; sleep ${n}`,
    [CT.debian, CT.busybox],
  ],
  [
    'grandchildren of a dead child',
    (n) => `sh -c 'sh -c "sleep ${n}" &'; sleep ${n}`,
    [CT.debian, CT.busybox],
  ],
  ['env -i', (n) => `env -i sleep ${n}`, [CT.debian, CT.busybox]],
  ['env -i under setsid', (n) => `setsid env -i sleep ${n} & wait`, [CT.debian, CT.busybox]],
  [
    'a daemon: orphaned, in its own session, with a cleared environment',
    (n) => `(env -i setsid sh -c 'sleep ${n} & sleep ${n}' >/dev/null 2>&1 </dev/null &); sleep ${n}`,
    [CT.debian, CT.busybox],
  ],
  ['nohup', (n) => `nohup sleep ${n} >/dev/null 2>&1 & wait`, [CT.debian]],
  ['sudo, which resets the environment', (n) => `sudo sleep ${n}`, [CT.debian]],
  [
    'a process that overwrites its environment (setproctitle)',
    (n) => `perl -e '$0 = "x" x 4000; system("sleep ${n}")'`,
    [CT.debian],
  ],
  [
    'a process that forks and ends at once, again and again',
    (n) => `perl -e 'system("sleep ${n} &"); while (1) { exit if fork }' >/dev/null 2>&1; sleep ${n}`,
    [CT.debian],
  ],
  ['a stopped process', (n) => `sleep ${n} & kill -STOP $!; wait`, [CT.debian, CT.busybox]],
  [
    'a process that forks repeatedly',
    (n) => `trap '' TERM; f() { sleep ${n} & }; while :; do f; sleep 0.05; done`,
    [CT.debian],
  ],
];

describeNode('kill: a timeout leaves nothing running', [], (rig, { needing }) => {
  const node = useClient(rig);

  for (const [name, command, containers] of ESCAPES) {
    for (const vmid of containers) {
      const title = `${name} (CT ${vmid})`;
      const body = async () => {
        const n = uniqueSleep();
        const bystander = uniqueSleep();
        await node.exec(vmid, `setsid sleep ${bystander} >/dev/null 2>&1 </dev/null &`);
        const running = node.exec(vmid, `echo begun; ${command(n)}`, { timeout: 1 });
        await until(async () => (await rig.containerProcesses(vmid, `sleep ${n}`)).length > 0);

        const result = await running;
        expect(result).toMatchObject({
          isError: true,
          ended: 'timeout',
          code: 'TIMEOUT',
          exit_code: null,
          stdout: 'begun\n',
          survivors: [],
        });
        // One that moves from PID to PID is not seen each time.
        for (let look = 0; look < 20; look++) expect(await rig.containerProcesses(vmid, n)).toEqual([]);
        expect(await rig.containerProcesses(vmid, `sleep ${bystander}`), 'the bystander').toHaveLength(1);
        await rig.inContainer(vmid, ['pkill', '-f', `sleep ${bystander}`]);
      };
      if (command('').startsWith('perl')) needing('real programs', title, body);
      else test(title, body);
    }
  }

  test('gives a process time to clean up on TERM', async () => {
    await node.exec(CT.debian, 'rm -f /tmp/cleaned');
    const result = await node.exec(
      CT.debian,
      `trap 'sleep 0.3; touch /tmp/cleaned; exit' TERM; while :; do sleep 0.1; done`,
      {
        timeout: 1,
      },
    );
    expect(result).toMatchObject({ ended: 'timeout', survivors: [] });
    expect((await rig.inContainer(CT.debian, ['ls', '/tmp/cleaned'])).code).toBe(0);
  });

  test('returns output that a process writes while it ends', async () => {
    const result = await node.exec(
      CT.debian,
      `trap 'echo last words; exit' TERM; while :; do sleep 0.1; done`,
      {
        timeout: 1,
      },
    );
    expect(result).toMatchObject({ ended: 'timeout', stdout: 'last words\n' });
  });

  test('reports survivors that cannot be killed', async () => {
    // Under cgroup v1, SIGKILL has no effect on a frozen process before it is thawed.
    const n = uniqueSleep();
    const running = node.exec(CT.busybox, `sleep ${n}`, { timeout: 4 });
    await until(async () =>
      (await rig.containerProcesses(CT.busybox, `sleep ${n}`)).some(({ comm }) => comm === 'sleep'),
    );
    const undo = await rig.freeze(CT.busybox);
    try {
      const result = await running;
      expect(result).toMatchObject({ ended: 'timeout', isError: true });
      expect(result.survivors?.map(({ name }) => name)).toContain('sleep');
      expect(result.text).toMatch(/sleep/);
    } finally {
      await undo();
    }
    await until(async () => (await rig.containerProcesses(CT.busybox, `sleep ${n}`)).length === 0);
  });

  needing(
    'real programs',
    'reports a possible survivor when an escaped process holds the output',
    async () => {
      // Detached, with a cleared environment and its own timer slack (prctl 29): the documented escape.
      const n = uniqueSleep();
      const getaway = `(env -i setsid perl -e 'syscall(157, 29, 123456); exec "sleep", "${n}"' &); sleep ${n}`;
      const result = await node.exec(CT.debian, getaway, { timeout: 2 });
      expect(result).toMatchObject({ ended: 'timeout', survivors: null });
      expect(result.text).toContain('may still be running');
      expect(await rig.containerProcesses(CT.debian, `sleep ${n}`)).toHaveLength(1);
      await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${n}`]);
    },
  );

  test('kills all processes of sixteen concurrent timeouts', async () => {
    const n = uniqueSleep();
    const results = await Promise.all(
      Array.from({ length: 16 }, () =>
        node.exec(CT.debian, `setsid sleep ${n} & sleep ${n}`, { timeout: 2 }),
      ),
    );
    for (const result of results) expect(result).toMatchObject({ ended: 'timeout', survivors: [] });
    expect(await rig.containerProcesses(CT.debian, `sleep ${n}`)).toEqual([]);
  });
});

describeNode("kill: a client's cancel leaves nothing running", [], (rig) => {
  const node = useClient(rig);

  for (const vmid of [CT.debian, CT.busybox]) {
    test(`kills all processes in CT ${vmid}`, async () => {
      const n = uniqueSleep();
      const abort = new AbortController();
      const running = node.call(
        'container_exec_command',
        { vmid, command: `trap '' TERM; (env -i setsid sleep ${n} &); sleep ${n}; sleep ${n}`, timeout: 60 },
        { signal: abort.signal },
      );
      await until(async () => (await rig.containerProcesses(vmid, `sleep ${n}`)).length >= 2);
      abort.abort();
      await expect(running).rejects.toThrow();
      await until(async () => (await rig.containerProcesses(vmid, n)).length === 0);
      expect(await node.exec(vmid, 'echo next')).toMatchObject({ stdout: 'next\n' });
    });
  }
});
