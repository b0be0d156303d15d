import type { Guest } from '../guest/guest.ts';
import type { Process } from '../kernel/process.ts';
import { withKey } from '../node/config-text.ts';
import type { SimulatedNode } from '../node/node.ts';
import { type Ran, type RunOptions, runProgramOn } from './run-program.ts';

/** Direct access to one container, without SSH: reads its state and changes it. */
export class ContainerHandle {
  readonly vmid: number;
  readonly #guest: Guest;
  readonly #node: SimulatedNode;

  constructor(guest: Guest, node: SimulatedNode) {
    this.vmid = guest.vmid;
    this.#guest = guest;
    this.#node = node;
  }

  get running(): boolean {
    return this.#guest.running;
  }

  /** Content of a file. @throws Error if it does not exist */
  file(path: string): string {
    return this.#guest.files.readText(path);
  }

  write(path: string, content: string | Uint8Array): void {
    this.#guest.files.write(path, content, { parents: true });
  }

  /** The file system, for operations that have no method here. */
  get files() {
    return this.#guest.files;
  }

  /** Its processes, or those whose arguments contain the text. */
  processes(text = ''): Process[] {
    return this.#node.table.list(this.vmid).filter(({ cmdline }) => cmdline.includes(text));
  }

  /** Runs a program in it, as `lxc-attach` does, and collects its output. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran> {
    return runProgramOn(this.#guest, argv, options);
  }

  get initPid(): number {
    return this.#guest.initPid;
  }

  start(): void {
    this.#guest.boot();
  }

  stop(): void {
    this.#guest.halt();
  }

  /** Freezes all its processes. The container still counts as running. */
  freeze(): void {
    this.#node.table.freeze(this.vmid);
  }

  thaw(): void {
    this.#node.table.thaw(this.vmid);
  }

  /** Fills its disk, except for `free` bytes. */
  fillDisk(free = 0): void {
    const { volume } = this.#guest;
    volume.base = Math.max(0, volume.size - volume.used - free);
  }

  set ignoresShutdown(value: boolean) {
    this.#guest.ignoresShutdown = value;
  }

  /** The text of its configuration. */
  get config(): string {
    return this.#node.cluster.readConfig(this.#node.name, this.vmid) ?? '';
  }

  set config(text: string) {
    this.#node.cluster.writeConfig(this.#node.name, this.vmid, text);
  }

  /** A lock in the configuration, such as `backup`; undefined removes it. */
  set lock(name: string | undefined) {
    this.config = withKey(this.config, 'lock', name);
  }

  /** Takes the lock of a pct operation. @returns a function that releases it */
  holdConfigLock(): () => void {
    const release = this.#node.locks.tryTake(this.vmid);
    if (!release) throw new Error(`the lock of container ${this.vmid} is taken`);
    return release;
  }
}
