import path from 'node:path';
import { programDir } from '../lib/program-dir.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { configDir } from './config-file.ts';
import { currentEnvironment, type HostEnvironment } from './host-environment.ts';
import type { Config } from './settings-schema.ts';
import { SshConfigFile } from './ssh-config-file.ts';

type PathSettings = Pick<
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
 * The files and directories that tools must not read or write, as absolute paths: settings, policy, audit log, approvals, keys,
 * known_hosts and the program itself. Writing them could change permissions, approve calls or run code on this machine; reading
 * them could reveal secrets.
 */
export function reservedPathsOf(
  config: PathSettings,
  targets: readonly Target[],
  at: HostEnvironment = currentEnvironment(),
): { readonly files: readonly string[]; readonly program: readonly string[] } {
  const { filesRead, stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey, httpTlsCert } =
    config;
  const named = [stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey, httpTlsCert];
  const ssh = [
    path.join(at.home, '.ssh'),
    ...new SshConfigFile(at, () => {}).filesRead(),
    ...targets.flatMap(filesOf),
  ];
  // The configuration directory too: a config.env that a tool creates would be read at the next start.
  const files = [configDir(at), ...filesRead, ...named.flatMap((file) => file ?? []), ...ssh];
  return { files: [...new Set(files)], program: programDirs(programDir()) };
}

/** The key files and known_hosts files of the node and of all jump hosts. */
function filesOf({ identityFiles, knownHostsFiles, knownHostsWriteFile, jumps }: Target): readonly string[] {
  return [...identityFiles, ...knownHostsFiles, knownHostsWriteFile, ...jumps.flatMap(filesOf)];
}

/** The directory of the package and, if it is installed in node_modules, that directory, which contains its dependencies. */
function programDirs(own: string): readonly string[] {
  const parent = path.dirname(own);
  return path.basename(parent) === 'node_modules' ? [own, parent] : [own];
}
