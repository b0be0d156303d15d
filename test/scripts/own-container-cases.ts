import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { runReport } from './protocol.ts';

const WORD = '5f0c9a6e3b8f1d7c2e50a4d1c05e7b2f';

export const OWN_CONTAINER_CASES: readonly Case[] = [
  {
    name: 'prints the cgroup of each process under the word',
    run: async (bench) => {
      await addProcess(bench, 1, ['/sbin/init'], '0::/init.scope\n');
      await addProcess(bench, 20, [WORD, '-e', 'x'], '1:name=systemd:/lxc/101/ns\n0::/\n');
      await addProcess(bench, 300, [WORD], '0::/lxc/102/ns\n');
      expect([...(await runReport(bench, 'ownContainer', [WORD]))].slice(-3)).toEqual([
        ['20', '1:name=systemd:/lxc/101/ns\n0::/\n'],
        ['300', '0::/lxc/102/ns\n'],
        ['item end', ''],
      ]);
    },
  },
  {
    name: 'takes no process that has the word as another argument or as part of one',
    run: async (bench) => {
      await addProcess(bench, 20, ['grep', WORD], '0::/\n');
      await addProcess(bench, 21, [`/bin/${WORD}`], '0::/lxc/101/ns\n');
      await addProcess(bench, 22, [], '0::/\n');
      expect([...(await runReport(bench, 'ownContainer', [WORD]))]).toEqual([['item end', '']]);
    },
  },
  {
    name: 'does not say that it is complete where a cgroup cannot be read',
    run: async (bench) => {
      await addProcess(bench, 20, [WORD], undefined);
      expect((await runReport(bench, 'ownContainer', [WORD])).has('item end')).toBe(false);
    },
  },
];

async function addProcess(
  { machine }: Bench,
  pid: number,
  argv: readonly string[],
  cgroup: string | undefined,
): Promise<void> {
  const folder = machine.nodePath(`/proc/${pid}`);
  await machine.files.write(`${folder}/cmdline`, argv.map((arg) => `${arg}\0`).join(''));
  if (cgroup !== undefined) await machine.files.write(`${folder}/cgroup`, cgroup);
}
