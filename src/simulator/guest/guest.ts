import { freeBytes, makeDirectory, makeVolume, type Volume } from '../files/inode.ts';
import { VirtualFs } from '../files/virtual-fs.ts';
import { installProcesses } from '../kernel/proc-directory.ts';
import type { Process } from '../kernel/process.ts';
import type { ProcessTable } from '../kernel/process-table.ts';
import type { Machine } from '../machine.ts';
import { commonPrograms } from '../programs/common-programs.ts';
import type { Program } from '../programs/program.ts';
import { type ContainerScenario, share } from '../scenario.ts';
import { installBusybox, installPrograms, layOut } from './flavour.ts';
import { ProcFiles } from './proc-files.ts';
import { guestPrograms } from './programs.ts';

/** The content of its disk. */
interface System {
  readonly volume: Volume;
  readonly files: VirtualFs;
  readonly programs: ReadonlyMap<string, Program>;
}

/** A container: its files, and while it runs its processes. */
export class Guest implements Machine {
  readonly vmid: number;
  readonly scenario: ContainerScenario;
  /** The state of each service according to systemd or OpenRC. */
  readonly services = new Map<string, 'running' | 'failed' | 'stopped'>();
  running = false;
  bootedAt = new Date();
  ignoresShutdown: boolean;
  #table: ProcessTable;
  #system: System | undefined;
  #init: Process | undefined;

  constructor(vmid: number, scenario: ContainerScenario, table: ProcessTable) {
    this.vmid = vmid;
    this.scenario = scenario;
    this.#table = table;
    this.ignoresShutdown = scenario.ignoresShutdown;
  }

  /** The process table of its node. */
  get table(): ProcessTable {
    return this.#table;
  }

  get files(): VirtualFs {
    return this.#installed().files;
  }

  get volume(): Volume {
    return this.#installed().volume;
  }

  get programs(): ReadonlyMap<string, Program> {
    return this.#installed().programs;
  }

  /** Bytes on its disk. */
  get diskUse(): { readonly total: number; readonly used: number } {
    const { size, used } = this.scenario.disk;
    if (!this.#system) return { total: size, used: share(used, size) };
    return { total: this.volume.size, used: this.volume.size - freeBytes(this.volume) };
  }

  /**
   * Moves it to another node.
   * @param table the processes of that node
   */
  moveTo(table: ProcessTable): void {
    if (this.running) throw new Error(`container ${this.vmid} runs`);
    this.#table = table;
  }

  /** Created at first use: a cluster may have thousands of containers, of which a test uses a few. */
  #installed(): System {
    if (this.#system) return this.#system;
    const { vmid, scenario } = this;
    const { size, used } = scenario.disk;
    const device = `/dev/mapper/pve-vm--${vmid}--disk--0`;
    const volume = makeVolume({ device, type: 'ext4', size, base: share(used, size) });
    const files = new VirtualFs(volume);
    const programs = guestPrograms(this);
    this.#system = { volume, files, programs };
    layOut(files, scenario);
    for (const [path, mount] of Object.entries(scenario.mounts)) {
      files.mount(path, makeDirectory(makeVolume({ device: 'tmpfs', type: 'tmpfs', ...mount })));
    }
    new ProcFiles(this).install();
    installProcesses(files, this);
    if (scenario.flavour === 'alpine')
      installBusybox(this, [...commonPrograms.map(([name]) => name), 'sh', 'ash']);
    if (scenario.flavour !== 'none') installPrograms(this);
    return this.#system;
  }

  get hostname(): string {
    return this.scenario.name;
  }

  get address(): string {
    return this.scenario.ip ?? '192.168.1.50';
  }

  get frozen(): boolean {
    return this.running && this.table.isFrozen(this.vmid);
  }

  get initPid(): number {
    return this.#init?.pid ?? 0;
  }

  hangs(): undefined {}

  refusesChange(): boolean {
    return false;
  }

  userName(uid: number): string {
    const lines = this.files.exists('/etc/passwd') ? this.files.readText('/etc/passwd').split('\n') : [];
    return lines.find((line) => line.split(':')[2] === String(uid))?.split(':')[0] ?? String(uid);
  }

  boot(): void {
    if (this.running) return;
    this.running = true;
    this.bootedAt = new Date();
    const comm = this.scenario.flavour === 'debian' ? 'systemd' : 'init';
    if (comm === 'systemd') this.files.makeDirectories('/run/systemd/system');
    this.#init = this.table.spawnInit({ parent: undefined, machine: this, argv: ['/sbin/init'] });
    this.#init.comm = comm;
    // The kernel delivers to the first process of a namespace only the signals that it handles.
    this.#init.onSignal = () => true;
    for (const [name, { state }] of Object.entries(this.scenario.services)) {
      this.services.set(name, 'stopped');
      if (state === 'running') this.startService(name);
      else this.services.set(name, state);
    }
  }

  /** Ends all processes at once, frozen or not. */
  halt(): void {
    if (!this.running) return;
    this.running = false;
    this.table.thaw(this.vmid);
    for (const process of this.table.list(this.vmid)) process.signal('KILL');
    this.#init = undefined;
    this.services.clear();
  }

  startService(name: string): boolean {
    const service = this.scenario.services[name];
    if (!service) return false;
    if (this.services.get(name) === 'running') return true;
    const argv = service.command.split(' ');
    const process = this.table.spawn({
      parent: this.#init,
      machine: this,
      argv,
      setsid: true,
      env: new Map(),
    });
    process.comm = (argv[0] ?? name).replace(/:$/, '').split('/').at(-1)?.slice(0, 15) ?? name;
    process.ports = service.ports;
    process.ended.add(() => this.services.set(name, 'stopped'));
    this.services.set(name, 'running');
    return true;
  }

  stopService(name: string): boolean {
    const service = this.scenario.services[name];
    if (!service) return false;
    for (const each of this.table.list(this.vmid)) if (each.cmdline === service.command) each.signal('TERM');
    this.services.set(name, 'stopped');
    return true;
  }
}
