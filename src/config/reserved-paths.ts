import path from 'node:path';
import { programDir } from '../lib/program-dir.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { configDir } from './config-file.ts';
import { currentSurroundings, type HostEnvironment } from './host-environment.ts';
import type { Config } from './settings-schema.ts';
import { SshConfigFile } from './ssh-config-file.ts';

type Named = Pick<
  Config,
  | 'filesRead'
  | 'stateDir'
  | 'auditDir'
  | 'policyFile'
  | 'sshKey'
  | 'sshKnownHosts'
  | 'httpTlsKey'
  | 'httpTlsCert'
>;

type Target = Pick<SshTarget, 'identityFiles' | 'knownHostsFiles' | 'knownHostsWriteFile'> & {
  readonly jumps: readonly Target[];
};

/**
 * Files and directories that decide what this server may do, or that say what it did: absolute paths. A caller that writes
 * them lifts ceilings with the next start, approves calls or runs code on this machine; one that reads them has secrets.
 */
export function reservedPathsOf(
  config: Named,
  target: Target,
  at: HostEnvironment = currentSurroundings(),
): { readonly files: readonly string[]; readonly program: readonly string[] } {
  const { filesRead, stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey, httpTlsCert } =
    config;
  const named = [stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey, httpTlsCert];
  const ssh = [
    path.join(at.home, '.ssh'),
    ...new SshConfigFile(at, () => {}).filesRead(),
    ...filesOf(target),
  ];
  // A config.env that is not there yet would be read at the next start.
  const files = [configDir(at), ...filesRead, ...named.flatMap((file) => file ?? []), ...ssh];
  return { files: [...new Set(files)], program: programDirs(programDir()) };
}

/** The keys that a login uses, and the host keys that it trusts, of the node and of all jump hosts. */
function filesOf({ identityFiles, knownHostsFiles, knownHostsWriteFile, jumps }: Target): readonly string[] {
  return [...identityFiles, ...knownHostsFiles, knownHostsWriteFile, ...jumps.flatMap(filesOf)];
}

/** The package, and the folder with the packages that it loads when it was installed into one. */
function programDirs(own: string): readonly string[] {
  const parent = path.dirname(own);
  return path.basename(parent) === 'node_modules' ? [own, parent] : [own];
}
