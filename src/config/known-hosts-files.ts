import path from 'node:path';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { configDir } from './config-file.ts';
import { absolutePath, type HostEnvironment, systemSshDirOf } from './host-environment.ts';
import type { HostEntry } from './ssh-config-file.ts';

type KnownHosts = Pick<SshTarget, 'knownHostsFiles' | 'knownHostsWriteFile'>;

/**
 * The known_hosts files of one host: those of the user, the file that this server writes, and those of the machine, as
 * OpenSSH reads them. The last count in every case: an administrator revokes keys there.
 *
 * @param named what SSH_KNOWN_HOSTS says; takes the place of the user's files and of the one that is written
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
  // New keys go to a file of our own: the operator's is theirs, and may be mounted read-only.
  const own = path.join(configDir(at), 'known_hosts');
  return { knownHostsFiles: [...user, own, ...global], knownHostsWriteFile: own };
}
