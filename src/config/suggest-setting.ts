import { editDistance, nearest } from '../lib/suggest.ts';

/** Common names from other tools that are too different for an edit distance. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  SSH_HOST: 'PROXMOX_HOST',
  PVE_HOST: 'PROXMOX_HOST',
  PROXMOX_USER: 'SSH_USERNAME',
  PROXMOX_USERNAME: 'SSH_USERNAME',
  PROXMOX_PASSWORD: 'SSH_PASSWORD',
  PROXMOX_PORT: 'SSH_PORT',
  PROXMOX_KEY: 'SSH_KEY',
  PROXMOX_SSH_KEY: 'SSH_KEY',
  SSH_USER: 'SSH_USERNAME',
  SSH_PASS: 'SSH_PASSWORD',
  SSH_PASSPHRASE: 'SSH_KEY_PASSPHRASE',
  SSH_KEY_FILE: 'SSH_KEY',
  SSH_KEY_PATH: 'SSH_KEY',
  SSH_PRIVATE_KEY: 'SSH_KEY',
  SSH_PROXY_JUMP: 'SSH_JUMP',
  ACCEPT_RISKS: 'I_ACCEPT_RISKS',
  HOST_EXEC: 'ENABLE_HOST_EXEC',
  READONLY: 'READ_ONLY',
  TRANSFER_DIR: 'TRANSFER_DIRS',
};

/** Variables that shells or SSH clients set, and whose names are similar to a setting by chance. */
const UNRELATED = new Set([
  'HOME',
  'HOSTNAME',
  'HOSTTYPE',
  'SSH_TTY',
  'SSH_CLIENT',
  'SSH_AUTH_SOCK',
  'SSH_ASKPASS',
]);

/** Whether a name is certainly a misspelled setting. The environment also contains variables of other programs. */
export function isMisspelled(name: string, meant: string): boolean {
  const letters = (text: string) => text.toUpperCase().replaceAll('_', '');
  const sorted = (text: string) => [...letters(text)].sort().join('');
  if (OTHER_NAMES[name.toUpperCase()] === meant || sorted(name) === sorted(meant)) return true;
  return editDistance(letters(name), letters(meant)) <= 1;
}

/** The setting that an unknown name probably means. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  if (known.includes(name) || UNRELATED.has(upper)) return undefined;
  // Only names with the same first letter and a similar length are compared, so that the start stays fast: an environment can
  // contain hundreds of variables.
  const likely = known.filter((each) => each[0] === upper[0] && Math.abs(each.length - upper.length) <= 2);
  return likely.find((each) => each === upper) ?? OTHER_NAMES[upper] ?? nearest(upper, likely);
}
