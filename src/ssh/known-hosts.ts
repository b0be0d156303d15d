import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { matchesGlob } from '../lib/glob.ts';
import type { HostKeyPolicy } from './ssh-types.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  /** `cert-authority`: the key signs certificates, which ssh2 cannot check; it is no host key itself. */
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
  | { readonly action: 'accept and record' }
  | {
      readonly action: 'refuse';
      readonly why: 'unknown' | 'changed' | 'revoked';
      /** Where the key stands that speaks against the offered one; for an unknown host, that of its certificate authority. */
      readonly known?: KnownHost;
    };

/**
 * Reads the text of a known_hosts file. Lines that are broken, empty or comments are left out, as OpenSSH leaves out what
 * it cannot read.
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
 * The text of a known_hosts file, which may be UTF-16, or UTF-8 with lines in UTF-16 among it: `ssh-keyscan HOST >> FILE`
 * in Windows PowerShell 5 appends those. All that counts in such a file is ASCII, so the NUL bytes between are left out.
 */
export function decodeKnownHosts(bytes: Buffer): string {
  const plain = bytes.includes(0) ? Buffer.from(bytes.filter((byte) => byte !== 0)) : bytes;
  // What is left of a byte order mark.
  return plain.toString('utf8').replace(/^(?:\uFEFF|\uFFFD\uFFFD)/, '');
}

/** The key type that a public key blob names itself, or null if it is no such blob. */
export function keyTypeOf(key: Buffer): string | null {
  if (key.length < 4) return null;
  const length = key.readUInt32BE(0);
  return length === 0 || length > 64 || key.length <= 4 + length
    ? null
    : key.toString('latin1', 4, 4 + length);
}

/** The name under which a host stands in known_hosts: `host`, or `[host]:port` for a port other than 22. */
export function hostName(host: string, port: number): string {
  const lower = host.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** The entries that are about `name`, which is an alias or what {@link hostName} returns. */
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
 * Decides about an offered host key, given all entries about that host.
 *
 * A host that is known, but under other keys only, counts as changed whatever the types of those keys are. That is
 * OpenSSH's rule too: the known types are offered first (see {@link hostKeyAlgorithms}), so a server that still has
 * the known key shows it, and one that shows another type does not have it.
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
  return { action: policy === 'insecure' ? 'accept' : 'accept and record' };
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
 * Host key algorithms in the order in which they are offered: those of the known keys first. Otherwise a host that is
 * pinned by its ECDSA key and also has an Ed25519 key would show the latter and look changed.
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
    // A negated match rules the whole line out, wherever it stands in the list.
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
