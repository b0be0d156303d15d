import { setImmediate as breathe } from 'node:timers/promises';
import type { FileInode } from '../../src/simulator/files/inode.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { CT } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { Far, type FarName, type FarStat, isPart, isTransfer } from './far.ts';

let serial = 0;

/** The remote end of a transfer on a simulated node. */
export class SimulatedFar extends Far {
  readonly #handle: ReturnType<Simulator['container'] | Simulator['node']>;

  constructor(simulator: Simulator, name: FarName) {
    serial += 1;
    super(name, `/tmp/e2e-${serial}`);
    this.#handle = name === 'host' ? simulator.node() : simulator.container(CT[name]);
    this.#files.makeDirectory(this.dir);
  }

  get #files() {
    return this.#handle.files;
  }

  async put(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    this.#files.write(this.path(name), content);
    this.#files.get(this.path(name)).mode = mode;
  }

  async read(name: string): Promise<Buffer> {
    return this.#files.read(this.path(name));
  }

  async stat(name: string): Promise<FarStat> {
    const inode = this.#files.get(this.path(name), false);
    const { kind, mode, uid, gid, mtime } = inode;
    const plain = kind === 'file' || kind === 'directory' || kind === 'link';
    return {
      kind: plain ? kind : 'other',
      mode: mode & 0o7777,
      uid,
      gid,
      size: kind === 'file' ? inode.content.length : 0,
      nlink: kind === 'file' ? inode.links : 1,
      mtimeMs: mtime.getTime(),
    };
  }

  async mkdir(name: string): Promise<void> {
    this.#files.makeDirectory(this.path(name));
  }

  async symlink(target: string, name: string): Promise<void> {
    this.#files.symlink(target, this.path(name));
  }

  async special(name: string, kind: 'fifo' | 'device' | 'socket'): Promise<void> {
    this.#files.makeSpecial(this.path(name), kind);
  }

  async truncate(name: string, size: number): Promise<void> {
    this.#files.truncate(this.path(name), size);
  }

  async overwriteStart(name: string, text: string): Promise<void> {
    this.#file(name).content.write(text);
  }

  async append(name: string, text: string): Promise<void> {
    this.#files.append(this.path(name), Buffer.from(text));
    // An endless writer must not block the node.
    await breathe();
  }

  run(...argv: [string, ...string[]]) {
    return this.#handle.run(argv);
  }

  async transferProcesses(): Promise<string[]> {
    const inside = this.#handle.processes().filter(({ vmid }) => vmid === (this.vmid ?? null));
    return inside.filter(isTransfer).map(({ cmdline }) => cmdline);
  }

  async parts(): Promise<string[]> {
    return [this.dir, this.small].flatMap((dir) => this.#files.list(dir)).filter(isPart);
  }

  async midway(): Promise<void> {
    await until(() =>
      this.#files
        .list(this.dir)
        .filter(isPart)
        .some((name) => this.#file(name).content.length > 0),
    );
  }

  async remove(): Promise<void> {
    this.#files.remove(this.dir, true);
  }

  #file(name: string): FileInode {
    const inode = this.#files.get(this.path(name));
    if (inode.kind !== 'file') throw new Error(`${name} is no regular file`);
    return inode;
  }
}
