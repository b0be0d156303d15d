import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * The machine that the server runs on, as far as settings depend on it. Passed in rather than asked
 * for, so that every platform's rules can be tested on any of them.
 */
export interface HostEnvironment {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** The local user; what OpenSSH logs in as on a jump host that names nobody. */
  readonly username: string;
  /** The directory of the machine's own ssh_config and ssh_known_hosts; by default where OpenSSH has it on that platform. */
  readonly systemSshDir?: string;
  /** Where a node of Proxmox VE has its cluster file system; /etc/pve. */
  readonly clusterDir?: string;
}

export function currentSurroundings(): HostEnvironment {
  const home = os.homedir();
  return {
    platform: process.platform,
    env: process.env,
    home,
    // Both throw where the machine is odd: a deleted working directory, a uid without a name.
    cwd: attempt(() => process.cwd(), home),
    username: attempt(() => os.userInfo().username, 'root'),
  };
}

/** The path rules of that machine, which in tests is not this one. */
export function pathsOf(at: HostEnvironment): path.PlatformPath {
  return at.platform === 'win32' ? path.win32 : path.posix;
}

/** Where OpenSSH keeps what holds for all users of that machine. */
export function systemSshDirOf(at: HostEnvironment): string {
  if (at.systemSshDir !== undefined) return at.systemSshDir;
  return at.platform === 'win32' ? `${at.env.PROGRAMDATA || 'C:\\ProgramData'}\\ssh` : '/etc/ssh';
}

/** Whether that machine is a node of Proxmox VE: only there the cluster file system links `local` to the node's directory. */
export function isProxmoxNode(at: HostEnvironment): boolean {
  return at.platform === 'linux' && existsSync(path.posix.join(at.clusterDir ?? '/etc/pve', 'local'));
}

/** Absolute form of a path that a person wrote: `~` is the home directory, the rest is taken from the working directory. */
export function absolutePath(at: HostEnvironment, text: string): string {
  const paths = pathsOf(at);
  const expanded = /^~(?=$|[\\/])/.test(text) ? paths.join(at.home, text.slice(1)) : text;
  return paths.resolve(at.cwd, expanded);
}

function attempt<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
