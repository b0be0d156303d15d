import type { Config } from './settings-schema.ts';

type Own = Pick<
  Config,
  'filesRead' | 'stateDir' | 'auditDir' | 'policyFile' | 'sshKey' | 'sshKnownHosts' | 'httpTlsKey'
>;

/**
 * Files and directories that decide what this server may do, or that say what it did: absolute paths. Who can write them
 * lifts ceilings with the next start, or approves calls; who can read them has secrets.
 */
export function ownFilesOf(config: Own): readonly string[] {
  const { filesRead, stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey } = config;
  const named = [stateDir, auditDir, policyFile, sshKey, sshKnownHosts, httpTlsKey];
  return [...filesRead, ...named.flatMap((file) => file ?? [])];
}
