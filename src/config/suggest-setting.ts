import leven from 'leven';
import { nearest } from '../lib/suggest.ts';

/** Names that people try, from other tools and by guessing, too far from ours for counting letters. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  SSH_HOST: 'PROXMOX_HOST',
  PVE_HOST: 'PROXMOX_HOST',
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

/** Variables that every shell or its SSH client sets, near to one of ours by chance. */
const UNRELATED = new Set([
  'HOME',
  'HOSTNAME',
  'HOSTTYPE',
  'SSH_TTY',
  'SSH_CLIENT',
  'SSH_AUTH_SOCK',
  'SSH_ASKPASS',
]);

/** Whether a name is another spelling of a setting beyond doubt. An environment holds names of other programs as well. */
export function isSlip(name: string, meant: string): boolean {
  const letters = (text: string) => text.toUpperCase().replaceAll('_', '');
  const sorted = (text: string) => [...letters(text)].sort().join('');
  if (OTHER_NAMES[name.toUpperCase()] === meant || sorted(name) === sorted(meant)) return true;
  return leven(letters(name), letters(meant)) <= 1;
}

/** The setting that was probably meant by an unknown name. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  if (known.includes(name) || UNRELATED.has(upper)) return undefined;
  // Slips keep the first letter and nearly the length. Looking no further keeps the start of the server fast: an
  // environment may hold hundreds of names.
  const likely = known.filter((each) => each[0] === upper[0] && Math.abs(each.length - upper.length) <= 2);
  return likely.find((each) => each === upper) ?? OTHER_NAMES[upper] ?? nearest(upper, likely);
}
