import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { SshConfigFile } from '../../../config/ssh-config-file.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { loadIdentities, readKeyFile } from '../../../ssh/identities.ts';

const SILENT = { debug: () => {}, info: () => {}, warn: () => {} };

/** The SSH keys available for a login. */
export interface AvailableKeys {
  /** Paths of private keys that need no passphrase. */
  readonly files: readonly string[];
  /** Comments of the keys that an agent holds. */
  readonly agent: readonly string[];
}

/** Finds keys in the ssh-agent, in ~/.ssh and in the entry of this host in ~/.ssh/config. */
export async function availableKeys(config: Config, at: HostEnvironment): Promise<AvailableKeys> {
  const { default: lib } = await import('ssh2');
  const { usable } = await loadIdentities(resolveSshTarget(config, at), lib, SILENT);
  const labels = (from: 'file' | 'agent') =>
    usable.flatMap((identity) => (identity.from === from ? [identity.label] : []));
  return { files: labels('file'), agent: labels('agent') };
}

/** Whether a private key file can be used. */
export async function keyFileState(
  file: string,
  passphrase: string | undefined,
): Promise<'usable' | 'encrypted' | 'unusable'> {
  const { default: lib } = await import('ssh2');
  const data = await readKeyFile(file).catch(() => undefined);
  if (data === undefined) return 'unusable';
  const key = passphrase === undefined ? lib.utils.parseKey(data) : lib.utils.parseKey(data, passphrase);
  if (!(key instanceof Error)) return 'usable';
  return /no passphrase/.test(key.message) || passphrase !== undefined ? 'encrypted' : 'unusable';
}

/** The host aliases in ~/.ssh/config. */
export function sshAliases(at: HostEnvironment): readonly string[] {
  return new SshConfigFile(at, () => {}).aliases();
}
