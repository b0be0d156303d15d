import { CT } from '../rig/containers.ts';

/** Where files travel to and from: two containers, and the node itself. */
export const FARS = ['debian', 'busybox', 'host'] as const;
export type FarName = (typeof FARS)[number];

export interface FarStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permissions alone. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly mtimeMs: number;
}

/**
 * One end of a transfer as a node's second door sees it: an own, empty directory for each test. `name` is always that of
 * a file in it.
 */
export abstract class Far {
  readonly name: FarName;
  readonly dir: string;
  /** A disk of one megabyte, and one that is read-only. */
  readonly small: string;
  readonly readOnly: string;

  protected constructor(name: FarName, dir: string) {
    this.name = name;
    this.dir = dir;
    this.small = name === 'host' ? '/mnt/rig-small' : '/mnt/small';
    this.readOnly = name === 'host' ? '/mnt/rig-ro' : '/mnt/ro';
  }

  get vmid(): number | undefined {
    return this.name === 'host' ? undefined : CT[this.name];
  }

  /** The path over there of a file in the test's directory. */
  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  /** `644 0:0` */
  async modeAndOwner(name: string): Promise<string> {
    const { mode, uid, gid } = await this.stat(name);
    return `${mode.toString(8)} ${uid}:${gid}`;
  }

  abstract put(name: string, content: string | Uint8Array, mode?: number): Promise<void>;
  abstract read(name: string): Promise<Buffer>;
  /** Follows no link. @throws Error that begins with ENOENT when there is none */
  abstract stat(name: string): Promise<FarStat>;
  abstract mkdir(name: string): Promise<void>;
  abstract symlink(target: string, name: string): Promise<void>;
  /** Makes what is no regular file; somebody listens at a socket. */
  abstract special(name: string, kind: 'fifo' | 'device' | 'socket'): Promise<void>;
  /** Cuts a file, or lets it grow with zeros that take no room where it lies. */
  abstract truncate(name: string, size: number): Promise<void>;
  /** Changes the first bytes of a file in place. */
  abstract overwriteStart(name: string, text: string): Promise<void>;
  abstract append(name: string, text: string): Promise<void>;
  /** Runs a program over there, as root. */
  abstract run(...argv: [string, ...string[]]): Promise<{ code: number | null; stdout: string }>;
  /** The command lines of the scripts of transfers, found by their text, and of what they start. */
  abstract transferProcesses(): Promise<string[]>;
  /** Names of temporary files in the test's directory and on the small disk. */
  abstract parts(): Promise<string[]>;
  /** Resolves once a part of some size is in the test's directory: the transfer is in its midst. */
  abstract midway(): Promise<void>;
  abstract remove(): Promise<void>;
}

/** Whether only a transfer under way may show a file of that name. */
export function isPart(name: string): boolean {
  return /^\.proxmox-mcp-.*\.(part|old)/.test(name);
}

/** Whether a process is the script of a transfer, or what such a script starts. */
export function isTransfer({ cmdline }: { readonly cmdline: string }): boolean {
  return /TOOL_MISSING|^head -c|^sha256sum/.test(cmdline);
}
