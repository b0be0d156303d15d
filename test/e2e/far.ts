import { CT } from '../rig/containers.ts';

/** The remote ends of transfers: two containers, and the node itself. */
export const FARS = ['debian', 'busybox', 'host'] as const;
export type FarName = (typeof FARS)[number];

export interface FarStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly mtimeMs: number;
}

/**
 * The remote end of a transfer, accessed without the server: a new, empty directory for each test. `name` is always the name of
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

  /** The remote path of a file in the test's directory. */
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
  /** Follows no link. @throws Error that begins with ENOENT if the file does not exist */
  abstract stat(name: string): Promise<FarStat>;
  abstract mkdir(name: string): Promise<void>;
  abstract symlink(target: string, name: string): Promise<void>;
  /** Creates a fifo, a device or a socket; the socket has a listener. */
  abstract special(name: string, kind: 'fifo' | 'device' | 'socket'): Promise<void>;
  /** Truncates a file, or extends it with zeros that use no space on the disk. */
  abstract truncate(name: string, size: number): Promise<void>;
  /** Changes the first bytes of a file in place. */
  abstract overwriteStart(name: string, text: string): Promise<void>;
  abstract append(name: string, text: string): Promise<void>;
  /** Runs a program as root on the remote end. */
  abstract run(...argv: [string, ...string[]]): Promise<{ code: number | null; stdout: string }>;
  /** Command lines of transfer scripts, found by their text, and of their children. */
  abstract transferProcesses(): Promise<string[]>;
  /** Names of temporary files in the test's directory and on the small disk. */
  abstract parts(): Promise<string[]>;
  /** Resolves once a temporary file in the test's directory is not empty, so that the transfer is running. */
  abstract midway(): Promise<void>;
  abstract remove(): Promise<void>;
}

/** Whether a file name is that of a temporary file, which exists only during a transfer. */
export function isPart(name: string): boolean {
  return /^\.proxmox-mcp-.*\.(part|old)/.test(name);
}

/** Whether a process is a transfer script or its child. */
export function isTransfer({ cmdline }: { readonly cmdline: string }): boolean {
  return /TOOL_MISSING|^head -c|^sha256sum/.test(cmdline);
}
