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

/** How many IDs an unprivileged container has, and what others are seen as in it. */
const IDS = 65_536;
const NOBODY = 65_534;

/** The remote end of a transfer on the rig. Owners are those that are seen in the container, whatever they are on this machine. */
export class RigFar extends Far {
  /** Its root directory as a path on this machine. */
  readonly root: string;
  /** Owner on this machine of the files of its root: 0, or that of the root of an unprivileged container. */
  readonly #rootId: number;
  readonly #rig: Door;
  readonly #listeners: Server[] = [];

  private constructor(rig: Door, name: FarName, root: string, rootId: number, dir: string) {
    super(name, dir);
    this.#rig = rig;
    this.root = root;
    this.#rootId = rootId;
  }

  static async make(rig: Door, name: FarName): Promise<RigFar> {
    const root = name === 'host' ? `/proc/${rig.info.holderPid}/root` : await rig.rootfs(CT[name]);
    const { uid } = await fs.stat(`${root}/`);
    const dir = path.join('/tmp', path.basename(await fs.mkdtemp(path.join(root, 'tmp', 'e2e-'))));
    await fs.chown(root + dir, uid, uid);
    await fs.chmod(root + dir, 0o755);
    return new RigFar(rig, name, root, uid, dir);
  }

  /** The path on this machine of a file in the test's directory. */
  seen(name: string): string {
    return this.root + this.path(name);
  }

  async put(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await fs.writeFile(this.seen(name), content);
    await this.#own(name);
    await fs.chmod(this.seen(name), mode);
  }

  read(name: string): Promise<Buffer> {
    return fs.readFile(this.seen(name));
  }

  async stat(name: string): Promise<FarStat> {
    const stats = await fs.lstat(this.seen(name));
    const { size, nlink, mtimeMs } = stats;
    const [uid, gid] = [this.#inside(stats.uid), this.#inside(stats.gid)];
    return { kind: kindOf(stats), mode: stats.mode & 0o7777, uid, gid, size, nlink, mtimeMs };
  }

  /** What was created on this machine belongs to the root of the container. */
  async #own(name: string): Promise<void> {
    const { uid } = await fs.lstat(this.seen(name));
    if (uid === 0) await fs.lchown(this.seen(name), this.#rootId, this.#rootId);
  }

  #inside(id: number): number {
    if (this.#rootId === 0) return id;
    return id >= this.#rootId && id < this.#rootId + IDS ? id - this.#rootId : NOBODY;
  }

  async mkdir(name: string): Promise<void> {
    await fs.mkdir(this.seen(name));
    await this.#own(name);
  }

  async symlink(target: string, name: string): Promise<void> {
    await fs.symlink(target, this.seen(name));
    await this.#own(name);
  }

  async special(name: string, kind: 'fifo' | 'device' | 'socket'): Promise<void> {
    if (kind === 'fifo') execFileSync('mkfifo', [this.seen(name)]);
    else if (kind === 'device') execFileSync('mknod', [this.seen(name), 'c', '1', '7']);
    else {
      const server = createServer().listen(this.seen(name));
      this.#listeners.push(server);
      await once(server, 'listening');
    }
    await this.#own(name);
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
    // One may be renamed or removed meanwhile.
    const sizes = await Promise.all(
      parts.map((name) =>
        fs.stat(path.join(dir, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return sizes.some((size) => size > 0);
  });
}

function kindOf(stats: Stats): FarStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}
