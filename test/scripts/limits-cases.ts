import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { runReport } from './protocol.ts';

const MEMORY = 512 * 1024 ** 2;

export const LIMITS_CASES: readonly Case[] = [
  {
    name: 'reports the limits of a container: cgroup version 2',
    run: async (bench) => {
      await writeFiles(bench, '/sys/fs/cgroup/lxc/101', {
        'pids.max': '512\n',
        'pids.current': '510\n',
        'memory.max': `${MEMORY}\n`,
        'memory.events': 'low 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n',
      });
      const report = await runReport(bench, 'limits', ['101']);
      expect(Object.fromEntries(report)).toEqual({
        'item pids': '510 512',
        'item killed': `3 ${MEMORY}`,
        'item end': '',
      });
    },
  },
  {
    name: 'reports the limits of a container: cgroup version 1',
    run: async (bench) => {
      await writeFiles(bench, '/sys/fs/cgroup/pids/lxc/101', { 'pids.max': '12\n', 'pids.current': '12\n' });
      await writeFiles(bench, '/sys/fs/cgroup/memory/lxc/101', {
        'memory.limit_in_bytes': `${MEMORY}\n`,
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      });
      const report = await runReport(bench, 'limits', ['101']);
      expect(report.get('item pids')).toBe('12 12');
      expect(report.get('item killed')).toBe(`1 ${MEMORY}`);
    },
  },
  {
    name: 'reports no processes of a container without such a limit',
    run: async (bench) => {
      await writeFiles(bench, '/sys/fs/cgroup/lxc/101', { 'pids.max': 'max\n', 'pids.current': '510\n' });
      expect([...(await runReport(bench, 'limits', ['101'])).keys()]).toEqual(['item end']);
    },
  },
];

async function writeFiles({ machine }: Bench, dir: string, files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    await machine.files.write(machine.nodePath(`${dir}/${name}`), text);
  }
}
