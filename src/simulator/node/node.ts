import { randomUUID } from 'node:crypto';
import { copyDirectory, type DirectoryInode, makeDirectory, makeVolume } from '../files/inode.ts';
import { VirtualFs } from '../files/virtual-fs.ts';
import { devices, installPrograms, mergeUsr, place } from '../guest/flavour.ts';
import { Guest } from '../guest/guest.ts';
import { uname } from '../guest/programs.ts';
import { uptimeAt } from '../kernel/clock.ts';
import { installProcesses } from '../kernel/proc-directory.ts';
import { ProcessTable } from '../kernel/process-table.ts';
import { WaitQueue } from '../kernel/wait-queue.ts';
import type { Machine } from '../machine.ts';
import { commonPrograms } from '../programs/common-programs.ts';
import type { Call, Program } from '../programs/program.ts';
import type { NodeScenario } from '../scenario.ts';
import { shellProgram } from '../shell/shell-program.ts';
import { installCgroups } from './cgroups.ts';
import type { Cluster } from './cluster.ts';
import { installClusterFiles } from './etc-pve.ts';
import { haManager } from './ha-manager.ts';
import { Locks } from './locks.ts';
import { lxcPrograms } from './lxc.ts';
import { pct } from './pct.ts';
import { PveEntries } from './pve-directory.ts';
import { pvesh } from './pvesh.ts';
import { sudo } from './sudo.ts';

/** The cluster file system: working, hanging (every read blocks), or not mounted, so that /etc/pve is empty. */
export type PmxcfsState = 'up' | 'hangs' | 'down';

/** One Proxmox VE node: its files, its programs, its containers. */
export class SimulatedNode implements Machine {
  readonly vmid = null;
  readonly name: string;
  readonly cluster: Cluster;
  readonly scenario: NodeScenario;
  readonly table = new ProcessTable();
  readonly files = new VirtualFs(
    makeVolume({ device: '/dev/mapper/pve-root', type: 'ext4', size: 94 * 1024 ** 3, base: 21 * 1024 ** 3 }),
  );
  readonly guests = new Map<number, Guest>();
  readonly programs: ReadonlyMap<string, Program>;
  readonly locks = new Locks();
  /** Whether the other nodes see it as online. */
  online = true;
  readonly #bootId = randomUUID();
  #pmxcfs: PmxcfsState = 'up';
  /** As this node shows it, mounted or not. */
  #etcPve: DirectoryInode = this.files.root;
  readonly #answers = new WaitQueue();

  constructor(name: string, cluster: Cluster) {
    const scenario = cluster.scenario.nodes[name];
    if (!scenario) throw new Error(`the scenario has no node ${name}`);
    this.name = name;
    this.cluster = cluster;
    this.scenario = scenario;
    for (const [vmid, container] of Object.entries(scenario.containers)) {
      this.guests.set(Number(vmid), new Guest(Number(vmid), container, this.table));
    }
    this.#layOut();
    this.programs = new Map<string, Program>([
      ...commonPrograms,
      ...lxcPrograms(this),
      ['dash', shellProgram('dash')],
      ['bash', shellProgram('bash')],
      ['pct', pct(this)],
      ['pvesh', (call) => pvesh(this, call)],
      ['sudo', sudo(this)],
      ['pveversion', (call) => this.#pveversion(call)],
      ['uname', (call) => uname(call, name, scenario.kernel)],
      ['nproc', (call) => printLine(call, String(scenario.cores))],
      ['ha-manager', haManager(this)],
    ]);
    installPrograms(this);
    installProcesses(this.files, this);
  }

  get hostname(): string {
    return this.name;
  }

  get address(): string {
    return '192.168.1.2';
  }

  /** User IDs follow the order of the scenario; root is 0. */
  uidOf(user: string): number {
    if (user === 'root') return 0;
    return 1000 + Object.keys(this.cluster.scenario.users).indexOf(user);
  }

  userName(uid: number): string {
    return uid === 0 ? 'root' : (Object.keys(this.cluster.scenario.users)[uid - 1000] ?? 'nobody');
  }

  get pmxcfs(): PmxcfsState {
    return this.#pmxcfs;
  }

  set pmxcfs(state: PmxcfsState) {
    this.#pmxcfs = state;
    this.files.mount('/etc/pve', state === 'down' ? makeDirectory(this.files.root.volume) : this.#etcPve);
    this.#answers.wake();
  }

  /** Whether corosync messages of that node arrive here. */
  sees(other: SimulatedNode): boolean {
    return this.online && other.online && this.cluster.network.connected(this.name, other.name);
  }

  /** Whether it sees more than half of the nodes, itself included. */
  get quorate(): boolean {
    const { quorate, nodes, scenario } = this.cluster;
    if (quorate !== undefined) return quorate;
    if (scenario.cluster === undefined) return true;
    return nodes.filter((each) => each === this || this.sees(each)).length * 2 > nodes.length;
  }

  /** Without quorum, changes by the other nodes do not arrive on this node until there is a quorum again. */
  followQuorum(): void {
    const { entries } = this.#etcPve;
    if (!(entries instanceof PveEntries)) return;
    const shared = this.cluster.directory;
    if (this.quorate) entries.show(shared.entries);
    else if (entries.shows(shared.entries)) entries.show(copyDirectory(shared).entries);
  }

  /** Without quorum the cluster file system is read-only. */
  refusesChange(path: string): boolean {
    return !this.quorate && this.#pmxcfs === 'up' && /^\/etc\/pve(\/|$)/.test(path);
  }

  /** If the cluster file system hangs, every read of /etc/pve waits. */
  hangs(path: string): WaitQueue | undefined {
    return this.#pmxcfs === 'hangs' && /^\/etc\/pve(\/|$)/.test(path) ? this.#answers : undefined;
  }

  /** The container with this VMID, if it is running on this node. */
  runningGuest(vmid: number): Guest | undefined {
    const guest = this.guests.get(vmid);
    return guest?.running ? guest : undefined;
  }

  boot(): void {
    const init = this.table.spawnInit({ parent: undefined, machine: this, argv: ['/sbin/init'] });
    init.comm = 'systemd';
    init.onSignal = () => true;
    for (const name of ['pmxcfs', 'pvedaemon', 'pveproxy', 'sshd'])
      this.table.spawn({ parent: init, setsid: true, argv: [`/usr/bin/${name}`] }).comm = name;
    for (const guest of this.guests.values()) if (guest.scenario.running) guest.boot();
  }

  #layOut(): void {
    for (const path of '/dev /etc /mnt /proc /root /run/lock/lxc /tmp /usr/bin /usr/lib /usr/sbin /usr/local/bin /usr/local/sbin /var/lib/vz /var/log'.split(
      ' ',
    )) {
      this.files.makeDirectories(path);
    }
    mergeUsr(this.files);
    this.files.get('/tmp').mode = 0o1777;
    this.files.get('/root').mode = 0o700;
    for (const user of Object.keys(this.cluster.scenario.users).filter((name) => name !== 'root')) {
      this.files.makeDirectories(`/home/${user}`);
      Object.assign(this.files.get(`/home/${user}`), { uid: this.uidOf(user), gid: this.uidOf(user) });
    }
    this.files.write('/etc/hostname', `${this.name}\n`);
    this.files.write('/etc/hosts', `127.0.0.1 localhost\n192.168.1.2 ${this.name}\n`);
    this.files.write(
      '/etc/passwd',
      `root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n`,
    );
    this.files.write('/etc/shadow', 'root:*:20000:0:99999:7:::\n', { mode: 0o640 });
    this.files.write('/etc/group', 'root:x:0:\ndaemon:x:1:\nadm:x:4:\nwww-data:x:33:\n');
    this.files.write(
      '/etc/os-release',
      'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
    );
    devices(this.files);
    this.files.generate('/proc/meminfo', () => {
      const total = Math.round(this.scenario.memory / 1024);
      return `MemTotal:       ${total} kB\nMemAvailable:   ${Math.round(total * 0.58)} kB\n`;
    });
    this.files.generate('/proc/sys/kernel/hostname', () => `${this.hostname}\n`);
    this.files.generate('/proc/sys/kernel/random/boot_id', () => `${this.#bootId}\n`);
    this.files.generate('/proc/sys/vm/swappiness', () => '60\n', 0o644);
    this.files.generate(
      '/sys/kernel/mm/transparent_hugepage/enabled',
      () => 'always [madvise] never\n',
      0o644,
      4096,
    );
    // A constant, because hundreds of sessions share one thread, so delays here do not correspond to load on a node.
    const uptime = uptimeAt(new Date()).toFixed(2);
    this.files.generate('/proc/uptime', () => `${uptime} 600000.00\n`);
    this.files.generate('/proc/cpuinfo', () =>
      Array.from({ length: this.scenario.cores }, (_, index) => `processor\t: ${index}\n`).join('\n'),
    );
    this.files.write(
      '/var/lib/dpkg/status',
      `Package: pve-manager\nStatus: install ok installed\nVersion: ${this.scenario.version}\n\n`,
      { parents: true },
    );
    this.files.generate('/proc/loadavg', () => '0.31 0.28 0.25 1/612 4711\n');
    this.#etcPve = installClusterFiles(this);
    installCgroups(this);
    for (const [path, mount] of Object.entries(this.scenario.mounts)) {
      this.files.mount(path, makeDirectory(makeVolume({ device: 'tmpfs', ...mount })));
    }
    for (const [path, file] of Object.entries(this.scenario.files)) place(this.files, path, file);
  }

  async #pveversion(call: Call): Promise<number> {
    const { version, kernel } = this.scenario;
    if (call.args.some((arg) => arg === '-v' || arg === '--verbose')) {
      return printLine(
        call,
        `proxmox-ve: ${version.replace(/\.\d+$/, '.0')} (running kernel: ${kernel})\npve-manager: ${version} (running version: ${version}/8c3a1f6e9d2b4a70)\nlxc-pve: 6.0.5-3\npve-container: 6.1.10`,
      );
    }
    return printLine(call, `pve-manager/${version}/8c3a1f6e9d2b4a70 (running kernel: ${kernel})`);
  }
}

async function printLine(call: Call, text: string): Promise<number> {
  await call.print(`${text}\n`);
  return 0;
}
