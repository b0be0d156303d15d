import type { Config } from './settings-schema.ts';

type PathSettings = Pick<
  Config,
  'filesRead' | 'stateDir' | 'auditDir' | 'policyFile' | 'sshKey' | 'sshKnownHosts' | 'httpTlsKey'
>;

/**
 * The files and directories that tools must not read or write, as absolute paths: settings, policy, audit log, approvals and keys.
 * Writing them could change permissions or approve calls; reading them could reveal secrets.
 */
export function ownFilesOf(config: PathSettings): readonly string[] {
  const { filesRead, stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey } = config;
  const named = [stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey];
  return [...filesRead, ...named.flatMap((file) => file ?? [])];
}
