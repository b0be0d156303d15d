import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { CallOptions, CallResult } from '../mcp/client.ts';
import { CT, type Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { useClient } from './connect.ts';

/** Where files travel to and from: two containers, and the node itself. */
export const FARS = ['debian', 'busybox', 'host'] as const;
export type FarName = (typeof FARS)[number];

/** A file name with everything in it that has a meaning for some shell or some parser. */
export const WEIRD_NAMES: readonly [what: string, name: string][] = [
  ['spaces at all ends', ' two  words '],
  ['quotes and backslashes', `it's "q" \\n \\`],
  ['shell meaning', '$(touch pwned)`id`;&|<>*?[a]!{x,y}~#%'],
  ['a leading dash', '-rf'],
  ['a line end inside', 'a\nb'],
  ['a line end at the end', 'trailing\n'],
  ['more than ASCII', 'naïve-日本-🐧'],
  ['255 bytes', 'n'.repeat(255)],
  ['a dot file', '.hidden'],
];

/** One end of a transfer as the rig's second door sees it. */
export class Far {
  readonly name: FarName;
  /** Its root directory as a path on this machine. */
  readonly root: string;
  /** An own, empty directory for each test. */
  readonly dir: string;
  /** A disk of one megabyte, and one that is read-only. */
  readonly small: string;
  readonly readOnly: string;
  readonly #rig: Rig;

  private constructor(rig: Rig, name: FarName, root: string, dir: string) {
    this.#rig = rig;
    this.name = name;
    this.root = root;
    this.dir = dir;
    this.small = name === 'host' ? '/mnt/rig-small' : '/mnt/small';
    this.readOnly = name === 'host' ? '/mnt/rig-ro' : '/mnt/ro';
  }

  static async make(rig: Rig, name: FarName): Promise<Far> {
    const root = name === 'host' ? `/proc/${rig.info.holderPid}/root` : await rig.rootfs(CT[name]);
    const dir = path.join('/tmp', path.basename(await fs.mkdtemp(path.join(root, 'tmp', 'e2e-'))));
    await fs.chmod(root + dir, 0o755);
    return new Far(rig, name, root, dir);
  }

  get vmid(): number | undefined {
    return this.name === 'host' ? undefined : CT[this.name];
  }

  /** The path over there of a file in the test's directory. */
  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  /** The same as a path on this machine. */
  seen(name: string): string {
    return this.root + this.path(name);
  }

  put(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    return fs.writeFile(this.seen(name), content).then(() => fs.chmod(this.seen(name), mode));
  }

  read(name: string): Promise<Buffer> {
    return fs.readFile(this.seen(name));
  }

  stat(name: string): Promise<Stats> {
    return fs.lstat(this.seen(name));
  }

  /** `644 0:0` */
  async modeAndOwner(name: string): Promise<string> {
    const { mode, uid, gid } = await this.stat(name);
    return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
  }

  run(...argv: [string, ...string[]]) {
    return this.vmid === undefined ? this.#rig.inNode(argv) : this.#rig.inContainer(this.vmid, argv);
  }

  /** The processes of our scripts and of what they start; found by the text of the script. */
  async transferProcesses(): Promise<string[]> {
    const all = this.vmid === undefined ? this.#rig.nodePids() : await this.#rig.containerPids(this.vmid);
    return all
      .filter(({ cmdline }) => /TOOL_MISSING|^head -c|^sha256sum/.test(cmdline))
      .map(({ cmdline }) => cmdline);
  }

  async parts(): Promise<string[]> {
    return [...(await partsIn(this.root + this.dir)), ...(await partsIn(this.root + this.small))];
  }

  async remove(): Promise<void> {
    await fs.rm(this.root + this.dir, { recursive: true, force: true });
  }
}

/** Names that only a transfer under way may show. */
export async function partsIn(dir: string): Promise<string[]> {
  return (await fs.readdir(dir)).filter((name) => /^\.proxmox-mcp-.*\.part$/.test(name));
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export async function sha256OfFile(file: string, bytes?: number): Promise<string> {
  const hash = createHash('sha256');
  const range = bytes === undefined ? {} : { end: bytes - 1 };
  for await (const chunk of createReadStream(file, range)) hash.update(chunk);
  return hash.digest('hex');
}

/** Not compressible, not the same twice, and cheap. */
export function bytes(size: number): Buffer {
  const content = Buffer.alloc(size);
  for (let i = 0; i < size; i += 997) content[i] = (i * 31 + size) & 0xff;
  return content;
}

/** Resolves once a part of some size is there: the transfer is in its midst. */
export async function midway(dir: string): Promise<string> {
  let found = '';
  await until(async () => {
    for (const name of await partsIn(dir)) {
      const { size } = await fs.stat(path.join(dir, name));
      if (size > 0) found = path.join(dir, name);
    }
    return found !== '';
  });
  return found;
}

/**
 * A server with its own transfer directory, and the far ends with an empty directory for each test. After every test,
 * however it went, no part is left on any side and no process of a transfer.
 */
export function useTransfers(rig: Rig, env: Readonly<Record<string, string>> = {}) {
  const server = useClient(rig, { ENABLE_HOST_EXEC: 'true', ...env });
  const fars = new Map<FarName, Far>();
  beforeEach(async () => {
    for (const name of FARS) fars.set(name, await Far.make(rig, name));
  });
  afterEach(async () => {
    try {
      for (const far of fars.values()) {
        expect(await far.parts(), `parts left in ${far.name}`).toEqual([]);
        // The script has said its last word; the kernel may take a moment to bury it.
        await until(async () => (await far.transferProcesses()).length === 0).catch(() => {});
        expect(await far.transferProcesses(), `processes left in ${far.name}`).toEqual([]);
      }
      expect(await partsIn(server.dir), 'parts left here').toEqual([]);
    } finally {
      for (const far of fars.values()) await far.remove();
      for (const name of await fs.readdir(server.dir)) {
        await fs.rm(path.join(server.dir, name), { recursive: true, force: true });
      }
    }
  });
  return {
    server,
    far(name: FarName): Far {
      const far = fars.get(name);
      if (far === undefined) throw new Error('used before the test has begun');
      return far;
    },
    /** The path on this machine of a file in the transfer directory. */
    local: (name: string): string => path.join(server.dir, name),
    upload: (far: Far, local_path: string, remote: string, more: object = {}, options?: CallOptions) =>
      call(server.call, 'upload', far, { local_path, ...more }, remote, options),
    download: (far: Far, remote: string, local_path: string, more: object = {}, options?: CallOptions) =>
      call(server.call, 'download', far, { local_path, ...more }, remote, options),
  };
}

type Call = ReturnType<typeof useClient>['call'];

function call(
  send: Call,
  verb: 'upload' | 'download',
  far: Far,
  args: Record<string, unknown>,
  remote: string,
  options?: CallOptions,
): Promise<CallResult> {
  const way = verb === 'upload' ? 'upload_file_to' : 'download_file_from';
  return far.vmid === undefined
    ? send(`${way}_host`, { host_path: remote, ...args }, options)
    : send(`${way}_container`, { vmid: far.vmid, container_path: remote, ...args }, options);
}
