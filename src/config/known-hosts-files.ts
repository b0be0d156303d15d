import path from 'node:path';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { configDir } from './config-file.ts';
import { absolutePath, type HostEnvironment, systemSshDirOf } from './host-environment.ts';
import type { HostEntry } from './ssh-config-file.ts';

type KnownHosts = Pick<SshTarget, 'knownHostsFiles' | 'knownHostsWriteFile'>;

/**
 * The known_hosts files of one host, as in OpenSSH: those of the user, the one that this server writes, and the system-wide ones.
 * The system-wide files always apply, because administrators revoke keys in them.
 *
 * @param named the value of SSH_KNOWN_HOSTS, which replaces the user's files and the one that this server writes
 */
export function knownHostsFiles(
  named: string | undefined,
  entry: HostEntry,
  at: HostEnvironment,
  expand: (text: string) => string,
): KnownHosts {
  const filesOf = (keyword: string, dir: string, names: readonly string[]): readonly string[] =>
    entry[keyword]
      ?.filter((file) => file.toLowerCase() !== 'none' && file !== '')
      .map((file) => absolutePath(at, expand(file))) ?? names.map((name) => path.join(dir, name));
  const global = filesOf('globalknownhostsfile', systemSshDirOf(at), ['ssh_known_hosts', 'ssh_known_hosts2']);
  if (named !== undefined) return { knownHostsFiles: [named, ...global], knownHostsWriteFile: named };
  const user = filesOf('userknownhostsfile', path.join(at.home, '.ssh'), ['known_hosts', 'known_hosts2']);
  // New keys are added to a separate file. The user's known_hosts is not changed; it may be mounted read-only.
  const managed = path.join(configDir(at), 'known_hosts');
  return { knownHostsFiles: [...user, managed, ...global], knownHostsWriteFile: managed };
}
