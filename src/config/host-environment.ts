import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * The environment on which settings depend: platform, variables, directories and user. It is a parameter, so that the rules of
 * every platform can be tested on any platform.
 */
export interface HostEnvironment {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** The local user, which is the default user for jump hosts, as in OpenSSH. */
  readonly username: string;
  /** The directory of the system-wide ssh_config and ssh_known_hosts; by default that of OpenSSH on the platform. */
  readonly systemSshDir?: string;
  /** The directory at which a Proxmox VE node mounts its cluster file system; by default /etc/pve. */
  readonly clusterDir?: string;
}

export function currentEnvironment(): HostEnvironment {
  const home = os.homedir();
  return {
    platform: process.platform,
    env: process.env,
    home,
    // These can throw: if the working directory was deleted, or if the uid has no name.
    cwd: attempt(() => process.cwd(), home),
    username: attempt(() => os.userInfo().username, 'root'),
  };
}

/** The path functions of the platform, which in tests can differ from the running one. */
export function pathsOf(at: HostEnvironment): path.PlatformPath {
  return at.platform === 'win32' ? path.win32 : path.posix;
}

/** The directory of the system-wide OpenSSH configuration. */
export function systemSshDirOf(at: HostEnvironment): string {
  if (at.systemSshDir !== undefined) return at.systemSshDir;
  return at.platform === 'win32' ? `${at.env.PROGRAMDATA || 'C:\\ProgramData'}\\ssh` : '/etc/ssh';
}

/** Whether that machine is a Proxmox VE node: only there does the cluster file system link `local` to the node's directory. */
export function isProxmoxNode(at: HostEnvironment): boolean {
  return at.platform === 'linux' && existsSync(path.posix.join(at.clusterDir ?? '/etc/pve', 'local'));
}

/** Makes a path absolute: `~` is the home directory, and relative paths start at the working directory. */
export function absolutePath(at: HostEnvironment, text: string): string {
  const paths = pathsOf(at);
  const expanded = /^~(?=$|[\\/])/.test(text) ? paths.join(at.home, text.slice(1)) : text;
  return paths.resolve(at.cwd, expanded);
}

function attempt<T>(read: () => T, fallback: T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
