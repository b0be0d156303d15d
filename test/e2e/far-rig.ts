import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { CT } from '../rig/containers.ts';
import type { Door } from '../rig/door.ts';
import { until } from '../rig/until.ts';
import { Far, type FarName, type FarStat, isPart, isTransfer } from './far.ts';

/** The remote end of a transfer on the rig. */
export class RigFar extends Far {
  /** Its root directory as a path on this machine. */
  readonly root: string;
  readonly #rig: Door;
  readonly #listeners: Server[] = [];

  private constructor(rig: Door, name: FarName, root: string, dir: string) {
    super(name, dir);
    this.#rig = rig;
    this.root = root;
  }

  static async make(rig: Door, name: FarName): Promise<RigFar> {
    const root = name === 'host' ? `/proc/${rig.info.holderPid}/root` : await rig.rootfs(CT[name]);
    const dir = path.join('/tmp', path.basename(await fs.mkdtemp(path.join(root, 'tmp', 'e2e-'))));
    await fs.chmod(root + dir, 0o755);
    return new RigFar(rig, name, root, dir);
  }

  /** The path on this machine of a file in the test's directory. */
  seen(name: string): string {
    return this.root + this.path(name);
  }

  async put(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await fs.writeFile(this.seen(name), content);
    await fs.chmod(this.seen(name), mode);
  }

  read(name: string): Promise<Buffer> {
    return fs.readFile(this.seen(name));
  }

  async stat(name: string): Promise<FarStat> {
    const stats = await fs.lstat(this.seen(name));
    const { uid, gid, size, nlink, mtimeMs } = stats;
    return { kind: kindOf(stats), mode: stats.mode & 0o7777, uid, gid, size, nlink, mtimeMs };
  }

  async mkdir(name: string): Promise<void> {
    await fs.mkdir(this.seen(name));
  }

  symlink(target: string, name: string): Promise<void> {
    return fs.symlink(target, this.seen(name));
  }

  async special(name: string, kind: 'fifo' | 'device' | 'socket'): Promise<void> {
    if (kind === 'fifo') execFileSync('mkfifo', [this.seen(name)]);
    else if (kind === 'device') execFileSync('mknod', [this.seen(name), 'c', '1', '7']);
    else {
      const server = createServer().listen(this.seen(name));
      this.#listeners.push(server);
      await once(server, 'listening');
    }
  }

  truncate(name: string, size: number): Promise<void> {
    return fs.truncate(this.seen(name), size);
  }

  async overwriteStart(name: string, text: string): Promise<void> {
    const file = await fs.open(this.seen(name), 'r+');
    await file.write(text, 0);
    await file.close();
  }

  append(name: string, text: string): Promise<void> {
    return fs.appendFile(this.seen(name), text);
  }

  run(...argv: [string, ...string[]]) {
    return this.vmid === undefined ? this.#rig.inNode(argv) : this.#rig.inContainer(this.vmid, argv);
  }

  async transferProcesses(): Promise<string[]> {
    const all = this.vmid === undefined ? this.#rig.nodePids() : await this.#rig.containerPids(this.vmid);
    return all.filter(isTransfer).map(({ cmdline }) => cmdline);
  }

  async parts(): Promise<string[]> {
    const names = await Promise.all([this.dir, this.small].map((dir) => fs.readdir(this.root + dir)));
    return names.flat().filter(isPart);
  }

  midway(): Promise<void> {
    return partGrowsIn(this.root + this.dir);
  }

  async remove(): Promise<void> {
    for (const server of this.#listeners) server.close();
    await fs.rm(this.root + this.dir, { recursive: true, force: true });
  }
}

/** Resolves once a temporary file in this local directory is not empty. */
export async function partGrowsIn(dir: string): Promise<void> {
  await until(async () => {
    const parts = (await fs.readdir(dir)).filter(isPart);
    const sizes = await Promise.all(parts.map(async (name) => (await fs.stat(path.join(dir, name))).size));
    return sizes.some((size) => size > 0);
  });
}

function kindOf(stats: Stats): FarStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}
