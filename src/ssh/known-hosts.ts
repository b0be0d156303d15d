import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { matchesGlob } from '../lib/glob.ts';
import type { HostKeyPolicy } from './ssh-types.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  /** `cert-authority`: the key signs host certificates, which ssh2 cannot check. It is not a host key itself. */
  readonly marker: 'revoked' | 'cert-authority' | null;
  /** The host field as written: a comma list of patterns, or one hashed name. */
  readonly hosts: string;
  readonly keyType: string;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly action: 'accept' }
  | { readonly action: 'accept and save' }
  | {
      readonly action: 'refuse';
      readonly why: 'unknown' | 'changed' | 'revoked';
      /** The entry that conflicts with the offered key; for an unknown host, the entry of its certificate authority. */
      readonly known?: KnownHost;
    };

/**
 * Parses the text of a known_hosts file. Invalid lines, empty lines and comments are skipped, as in OpenSSH.
 */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const fields = raw.trim().split(/[ \t]+/);
    const first = fields[0] ?? '';
    if (first === '' || first.startsWith('#')) continue;
    const marker = MARKERS.get(first) ?? null;
    if (marker !== null) fields.shift();
    else if (first.startsWith('@')) continue;
    const [hosts, keyType, base64] = fields;
    if (hosts === undefined || keyType === undefined || base64 === undefined) continue;
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) continue;
    const key = Buffer.from(base64, 'base64');
    if (keyTypeOf(key) !== keyType) continue;
    entries.push({ marker, hosts, keyType, key, file, line: index + 1 });
  }
  return entries;
}

const MARKERS: ReadonlyMap<string, 'revoked' | 'cert-authority'> = new Map([
  ['@revoked', 'revoked'],
  ['@cert-authority', 'cert-authority'],
]);

/**
 * The text of a known_hosts file. The file may be UTF-16, or UTF-8 with lines in UTF-16, which `ssh-keyscan HOST >> FILE`
 * in Windows PowerShell 5 appends. The relevant parts are ASCII, so removing the NUL bytes converts them.
 */
export function decodeKnownHosts(bytes: Buffer): string {
  const plain = bytes.includes(0) ? Buffer.from(bytes.filter((byte) => byte !== 0)) : bytes;
  // The rest of a byte order mark.
  return plain.toString('utf8').replace(/^(?:\uFEFF|\uFFFD\uFFFD)/, '');
}

/** The key type that a public key blob contains, or null if it is not a public key blob. */
export function keyTypeOf(key: Buffer): string | null {
  if (key.length < 4) return null;
  const length = key.readUInt32BE(0);
  return length === 0 || length > 64 || key.length <= 4 + length
    ? null
    : key.toString('latin1', 4, 4 + length);
}

/** The name of a host in known_hosts: `host`, or `[host]:port` for a port other than 22. */
export function hostName(host: string, port: number): string {
  const lower = host.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** The entries for `name`, which is an alias or the result of {@link hostName}. */
export function lookUp(entries: readonly KnownHost[], name: string): KnownHost[] {
  const wanted = name.toLowerCase();
  return entries.filter((entry) => matchesHosts(entry.hosts, wanted));
}

/** `SHA256:…` as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The line, without line end, that pins `key` for `name`. */
export function formatEntry(name: string, key: Buffer): string {
  return `${name} ${keyTypeOf(key) ?? 'unknown'} ${key.toString('base64')}`;
}

/**
 * Decides whether to accept an offered host key, given all entries for that host.
 *
 * If the host has entries, but none with this key, the key counts as changed even if its type is different. OpenSSH does
 * the same: the client asks for the known types first (see {@link hostKeyAlgorithms}), so a server that offers another
 * type no longer has the known key.
 */
export function decideHostKey(
  policy: HostKeyPolicy,
  known: readonly KnownHost[],
  offered: Buffer,
): HostKeyVerdict {
  const revoked = known.find((entry) => entry.marker === 'revoked' && entry.key.equals(offered));
  if (revoked) return { action: 'refuse', why: 'revoked', known: revoked };
  const pinned = known.filter((entry) => entry.marker === null);
  if (pinned.some((entry) => entry.key.equals(offered))) return { action: 'accept' };
  const type = keyTypeOf(offered);
  const conflict = pinned.find((entry) => entry.keyType === type) ?? pinned[0];
  if (conflict) return { action: 'refuse', why: 'changed', known: conflict };
  if (policy === 'strict') {
    const authority = known.find((entry) => entry.marker === 'cert-authority');
    return { action: 'refuse', why: 'unknown', ...(authority && { known: authority }) };
  }
  return { action: policy === 'insecure' ? 'accept' : 'accept and save' };
}

const ALGORITHMS = [
  { type: 'ssh-ed25519', names: ['ssh-ed25519'] },
  { type: 'ecdsa-sha2-nistp256', names: ['ecdsa-sha2-nistp256'] },
  { type: 'ecdsa-sha2-nistp384', names: ['ecdsa-sha2-nistp384'] },
  { type: 'ecdsa-sha2-nistp521', names: ['ecdsa-sha2-nistp521'] },
  // One key, three signature schemes; SHA-1 last.
  { type: 'ssh-rsa', names: ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] },
] as const;

export type HostKeyAlgorithm = (typeof ALGORITHMS)[number]['names'][number];

/**
 * Host key algorithms in the order of preference: those of the known keys first. Otherwise a host whose ECDSA key is known
 * and that also has an Ed25519 key would offer the latter, which would look like a changed key.
 */
export function hostKeyAlgorithms(known: readonly KnownHost[]): HostKeyAlgorithm[] {
  const types = new Set(known.filter((entry) => entry.marker === null).map((entry) => entry.keyType));
  const first = ALGORITHMS.filter(({ type }) => types.has(type));
  const rest = ALGORITHMS.filter(({ type }) => !types.has(type));
  return [...first, ...rest].flatMap(({ names }) => [...names]);
}

function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesGlob(negated ? pattern.slice(1) : pattern, name)) continue;
    // A negated match excludes the whole line, at any position in the list.
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(hosts: string, name: string): boolean {
  const [, scheme, salt, hash] = hosts.split('|');
  if (scheme !== '1' || !salt || !hash) return false;
  const wanted = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}
