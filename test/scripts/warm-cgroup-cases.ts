import { expect } from 'vitest';
import { until } from '../rig/until.ts';
import type { Bench, Case } from './cases.ts';
import { finish } from './protocol.ts';

const MEMBERSHIPS: readonly [version: string, own: string, cgroup: string][] = [
  ['version 2', '0::/user.slice/session-1.scope\n', '/user.slice/session-1.scope'],
  ['version 2, in its root', '0::/\n', ''],
  ['version 1', '9:name=systemd:/session\n8:pids:/other\n0::/\n', 'systemd/session'],
  ['version 1 without that of systemd', '8:cpu,cpuacct:/other\n', 'cpu,cpuacct/other'],
  ['a path with colons', '0::/a:b/c\n', '/a:b/c'],
];

export const WARM_CGROUP_CASES: readonly Case[] = [
  ...MEMBERSHIPS.map(
    ([version, own, cgroup]): Case => ({
      name: `moves a process to its own cgroup: ${version}`,
      run: async (bench) => {
        const { files } = bench.machine;
        const members = bench.machine.nodePath(`/sys/fs/cgroup/${cgroup}/cgroup.procs`);
        await files.write(members, '');
        expect(await warm(bench, own)).toEqual({ code: 0, stdout: 'goes on\n', stderr: '' });
        await until(async () => (await files.read(members)) === '0\n');
      },
    }),
  ),
  {
    name: 'creates no file where the cgroup is not found',
    run: async (bench) => {
      const { machine } = bench;
      await machine.files.mkdir(machine.nodePath('/sys/fs/cgroup/pids'));
      expect(await warm(bench, '0::/\n8:pids:/other\n7:pids:/\n', 'wait\n')).toEqual({
        code: 0,
        stdout: 'goes on\n',
        stderr: '',
      });
      expect(await machine.files.list(machine.nodePath('/sys/fs/cgroup'))).toEqual(['pids']);
      expect(await machine.files.list(machine.nodePath('/sys/fs/cgroup/pids'))).toEqual([]);
    },
  },
  {
    name: 'does not wait for the kernel, and keeps no stream open meanwhile',
    needs: ['fifos'],
    run: async (bench) => {
      const { machine } = bench;
      // Opening it waits for a reader, as the kernel waits.
      const members = machine.nodePath('/sys/fs/cgroup/own/cgroup.procs');
      await machine.files.mkdir(machine.nodePath('/sys/fs/cgroup/own'));
      await machine.files.fifo(members);
      expect(await warm(bench, '0::/own\n')).toEqual({ code: 0, stdout: 'goes on\n', stderr: '' });
      expect(await finish(machine.start('cat "$1"', [members]))).toMatchObject({ stdout: '0\n' });
    },
  },
];

/** Runs it in a process with these memberships, whose stderr is also open as 4, as in a session. */
async function warm({ machine, scripts }: Bench, memberships: string, then = '') {
  await machine.files.write(machine.nodePath('/proc/self/cgroup'), memberships);
  return finish(machine.start(`exec 4>&2\n${scripts.warmCgroup}${then}echo goes on`, []));
}
