import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { SshConfigFile } from '../../../config/ssh-config-file.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { loadIdentities, readKeyFile } from '../../../ssh/identities.ts';

const SILENT = { debug: () => {}, info: () => {}, warn: () => {} };

/** The keys at hand for a login, as people know them. */
export interface KeysAtHand {
  /** Paths of private keys that can be used as they are. */
  readonly files: readonly string[];
  /** Comments of the keys that an agent holds. */
  readonly agent: readonly string[];
}

/** Looks at the agent, ~/.ssh and what ~/.ssh/config says about this host. */
export async function keysAtHand(config: Config, at: HostEnvironment): Promise<KeysAtHand> {
  const { default: lib } = await import('ssh2');
  const { usable } = await loadIdentities(resolveSshTarget(config, at), lib, SILENT);
  const labels = (from: 'file' | 'agent') =>
    usable.flatMap((identity) => (identity.from === from ? [identity.label] : []));
  return { files: labels('file'), agent: labels('agent') };
}

/** What can be said of a private key file. */
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

/** The names that ~/.ssh/config has for servers. */
export function sshAliases(at: HostEnvironment): readonly string[] {
  return new SshConfigFile(at, () => {}).aliases();
}
