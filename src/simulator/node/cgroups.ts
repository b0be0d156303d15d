import type { Guest } from '../guest/guest.ts';
import { memoryOf } from '../guest/proc-files.ts';
import type { SimulatedNode } from './node.ts';

/** The page cache that counts as used in memory.current. */
const CACHE = 24 * 1024 ** 2;

/** /sys/fs/cgroup with a group for each container, as cgroup v2 shows it. */
export function installCgroups({ files, guests }: SimulatedNode): void {
  for (const guest of guests.values()) {
    const folder = `/sys/fs/cgroup/lxc/${guest.vmid}`;
    const values: Readonly<Record<string, () => string>> = {
      'memory.current': () => String(memoryOf(guest).used + (guest.running ? CACHE : 0)),
      'memory.max': () => String(guest.scenario.memory),
      'memory.swap.current': () => '0',
      'memory.swap.max': () => String(512 * 1024 ** 2),
      'memory.events': () => `low 0\nhigh 0\nmax 0\noom 0\noom_kill ${guest.scenario.oomKills}`,
      'memory.stat': () => `anon ${memoryOf(guest).used}\nfile ${CACHE}`,
      'cgroup.events': () => `populated ${guest.running ? 1 : 0}\nfrozen ${guest.frozen ? 1 : 0}`,
      'cgroup.procs': () => '',
      'ns/cgroup.procs': () => processes(guest),
    };
    for (const [name, value] of Object.entries(values)) {
      files.generate(`${folder}/${name}`, () => (value() === '' ? '' : `${value()}\n`));
    }
  }
}

function processes({ table, vmid, running }: Guest): string {
  return running
    ? table
        .list(vmid)
        .map(({ pid }) => pid)
        .join('\n')
    : '';
}
