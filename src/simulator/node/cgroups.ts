import { type DirectoryInode, type Inode, makeDirectory, meta, type Volume } from '../files/inode.ts';
import type { Guest } from '../guest/guest.ts';
import { memoryOf } from '../guest/proc-files.ts';
import type { SimulatedNode } from './node.ts';

/** The page cache that counts as used in memory.current. */
const CACHE = 24 * 1024 ** 2;

/** /sys/fs/cgroup with a group for each container that is on the node, as cgroup v2 shows it. */
export function installCgroups({ files, guests }: SimulatedNode): void {
  files.makeDirectories('/sys/fs/cgroup/lxc');
  const { volume } = files.directory('/sys/fs/cgroup/lxc');
  const directory = { ...makeDirectory(volume), entries: new CgroupEntries(guests, volume) };
  files.replaceDirectory('/sys/fs/cgroup/lxc', directory);
}

/** One directory for each container, created at first use, because there may be thousands of containers, which can move. */
class CgroupEntries extends Map<string, Inode> {
  readonly #guests: ReadonlyMap<number, Guest>;
  readonly #volume: Volume;
  readonly #made = new WeakMap<Guest, DirectoryInode>();

  constructor(guests: ReadonlyMap<number, Guest>, volume: Volume) {
    super();
    this.#guests = guests;
    this.#volume = volume;
  }

  override get(name: string): Inode | undefined {
    const guest = /^\d+$/.test(name) ? this.#guests.get(Number(name)) : undefined;
    if (!guest) return super.get(name);
    const directory = this.#made.get(guest) ?? groupOf(guest, this.#volume);
    this.#made.set(guest, directory);
    return directory;
  }

  override keys(): MapIterator<string> {
    const running = [...this.#guests.values()].filter((guest) => guest.running);
    return [...super.keys(), ...running.map(({ vmid }) => String(vmid))].values();
  }
}

function groupOf(guest: Guest, volume: Volume): DirectoryInode {
  const directory = makeDirectory(volume);
  const add = (to: DirectoryInode, name: string, value: () => string) => {
    const generate = () => (value() === '' ? '' : `${value()}\n`);
    to.entries.set(name, { kind: 'generated', generate, ...meta(volume, 0o444) });
  };
  add(directory, 'memory.current', () => String(memoryOf(guest).used + (guest.running ? CACHE : 0)));
  add(directory, 'memory.max', () => String(guest.scenario.memory));
  add(directory, 'memory.swap.current', () => '0');
  add(directory, 'memory.swap.max', () => String(512 * 1024 ** 2));
  const oomKills = () => `low 0\nhigh 0\nmax 0\noom 0\noom_kill ${guest.scenario.oomKills}`;
  add(directory, 'memory.events', oomKills);
  add(directory, 'memory.stat', () => `anon ${memoryOf(guest).used}\nfile ${CACHE}`);
  add(directory, 'cgroup.events', () => `populated ${guest.running ? 1 : 0}\nfrozen ${guest.frozen ? 1 : 0}`);
  add(directory, 'cgroup.procs', () => '');
  const inner = makeDirectory(volume);
  add(inner, 'cgroup.procs', () => processes(guest));
  directory.entries.set('ns', inner);
  return directory;
}

function processes({ table, vmid, running }: Guest): string {
  return running
    ? table
        .list(vmid)
        .map(({ pid }) => pid)
        .join('\n')
    : '';
}
