import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeLike } from '../lib/decode-text.ts';
import { hasErrno } from '../lib/errno.ts';
import { AppError, messageOf } from '../lib/errors.ts';
import { makeDirectories } from '../lib/make-directories.ts';
import { shellWord } from '../lib/quote.ts';
import {
  decideHostKey,
  decodeKnownHosts,
  fingerprint,
  formatEntry,
  type HostKeyAlgorithm,
  type HostKeyVerdict,
  hostKeyAlgorithms,
  hostName,
  type KnownHost,
  keyTypeOf,
  lookUp,
  parseKnownHosts,
} from './known-hosts.ts';
import { type SshLogger, warnOnce } from './logger.ts';
import type { SshTarget } from './ssh-types.ts';

/** A host key that a server has offered, and the result of its check. */
export interface SeenHostKey {
  /** The name that is looked up in known_hosts: `host`, `[host]:port` or an alias. */
  readonly name: string;
  readonly key: Buffer;
  readonly type: string;
  readonly fingerprint: string;
  /** `known`: found in `file`; `new`: will be added to `file`; `unchecked`: accepted although it is not known. */
  readonly verdict: 'known' | 'new' | 'unchecked' | 'refused';
  readonly file: string | null;
}

/** The host key check of one connection. */
export interface HostKeyCheck {
  readonly algorithms: HostKeyAlgorithm[];
  /** Whether the offered key is acceptable; if not, `refusal` holds the error to report. */
  verify(key: Buffer): boolean;
  readonly refusal: AppError | null;
  /** The key that was checked last. */
  readonly seen: SeenHostKey | null;
  /** Saves a new key that was accepted. To be called when the server has proved that it owns the key. Never rejects. */
  save(): Promise<void>;
}

/** Reads the known_hosts files of `target` and prepares the check of its key. Never rejects. */
export async function loadHostKeyCheck(target: SshTarget, logger: SshLogger): Promise<HostKeyCheck> {
  const { name, known, withoutPort } = await knownKeys(target, logger);
  let refusal: AppError | null = null;
  let seen: SeenHostKey | null = null;
  let accepted: Buffer | null = null;
  let toSave: Buffer | null = null;
  return {
    algorithms: hostKeyAlgorithms([...known, ...withoutPort]),
    verify(key) {
      // Called again at each rekeying: the same key stays accepted, any other key is refused.
      if (accepted?.equals(key)) return true;
      const sameKey = withoutPort.filter((entry) => entry.key.equals(key));
      const verdict = decideHostKey(target.hostKeyPolicy, [...known, ...sameKey], key);
      seen = describe(name, key, verdict, [...known, ...sameKey], target);
      if (verdict.action === 'refuse' || accepted !== null) {
        refusal = refusalError(target, name, key, verdict);
        return false;
      }
      accepted = Buffer.from(key);
      if (verdict.action === 'accept and save') toSave = accepted;
      else if (known.length === 0)
        logger.debug(`host key of ${name} accepted without a check: ${fingerprint(key)}`);
      return true;
    },
    get refusal() {
      return refusal;
    },
    get seen() {
      return seen;
    },
    async save() {
      const key = toSave;
      toSave = null;
      if (key) await appendKey(target.knownHostsWriteFile, name, key, logger);
    },
  };
}

function describe(
  name: string,
  offered: Buffer,
  { action }: HostKeyVerdict,
  known: readonly KnownHost[],
  target: SshTarget,
): SeenHostKey {
  const key = Buffer.from(offered);
  const entry = known.find((each) => each.marker === null && each.key.equals(key));
  const about = { name, key, type: keyTypeOf(key) ?? 'unknown', fingerprint: fingerprint(key) };
  if (action === 'refuse') return { ...about, verdict: 'refused', file: null };
  if (action === 'accept and save') return { ...about, verdict: 'new', file: target.knownHostsWriteFile };
  return entry
    ? { ...about, verdict: 'known', file: `${entry.file}:${entry.line}` }
    : { ...about, verdict: 'unchecked', file: null };
}

/**
 * The known_hosts entries for `target`. As in OpenSSH, a host on a port other than 22 without its own entry is accepted if
 * it offers a key of the same name without a port. A different key there does not count as a change.
 */
async function knownKeys(target: SshTarget, logger: SshLogger) {
  const files = new Set([...target.knownHostsFiles, target.knownHostsWriteFile]);
  const entries: KnownHost[] = [];
  for (const file of files) {
    try {
      entries.push(...parseKnownHosts(decodeKnownHosts(await readFile(file)), file));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) warnOnce(logger, `cannot read a known_hosts file: ${messageOf(error)}`);
    }
  }
  const trusted = target.trustedHostKeys;
  if (trusted) entries.push(...parseKnownHosts(trusted.text, trusted.source));
  const name = target.hostKeyAlias ?? hostName(target.host, target.port);
  const known = lookUp(entries, name);
  const pinned = known.some((entry) => entry.marker === null);
  const bare = target.hostKeyAlias === undefined && target.port !== 22 ? lookUp(entries, target.host) : [];
  // A revoked key is revoked on all ports of the host.
  const revoked = bare.filter((entry) => entry.marker === 'revoked' && !known.includes(entry));
  const withoutPort = pinned ? [] : bare.filter((entry) => entry.marker === null);
  return { name, known: [...known, ...revoked], withoutPort };
}

/** Adds a key to a known_hosts file. @throws errors of the file system */
export async function pinHostKey(file: string, name: string, key: Buffer): Promise<void> {
  await makeDirectories(dirname(file), 0o700);
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const start = Buffer.alloc(2);
    const end = Buffer.from('\n\n');
    if (size > 1) {
      await handle.read(start, 0, 2, 0);
      await handle.read(end, 0, 2, size - 2);
    } else if (size === 1) await handle.read(end, 1, 1, 0);
    const ended = end[1] === 0x0a || (end[0] === 0x0a && end[1] === 0);
    // One append, so that processes that write at the same time do not mix their lines.
    await handle.appendFile(encodeLike(start, `${ended ? '' : '\n'}${formatEntry(name, key)}\n`));
  } finally {
    await handle.close();
  }
}

async function appendKey(file: string, name: string, key: Buffer, logger: SshLogger): Promise<void> {
  try {
    await pinHostKey(file, name, key);
    logger.info(`new host ${name}: host key ${fingerprint(key)} added to ${file}`);
  } catch (error) {
    warnOnce(
      logger,
      `the host key of ${name} (${fingerprint(key)}) was accepted but could not be saved: ${messageOf(error)}`,
    );
  }
}

function refusalError(target: SshTarget, name: string, key: Buffer, verdict: HostKeyVerdict): AppError {
  const offered = `${keyTypeOf(key) ?? 'unknown'} ${fingerprint(key)}`;
  const known = verdict.action === 'refuse' ? verdict.known : undefined;
  const where = known ? `${known.file}:${known.line}` : '';
  if (verdict.action === 'refuse' && verdict.why === 'unknown' && target.trustedHostKeys) {
    const { source, remedy } = target.trustedHostKeys;
    return new AppError(
      'HOST_KEY_UNKNOWN',
      `The host key of ${name} (${offered}) is not in ${source}. The connection was refused.`,
      { model: 'Do not try another way to connect. Report this to the user.', person: remedy },
    );
  }
  if (verdict.action === 'refuse' && verdict.why === 'unknown') {
    return new AppError(
      'HOST_KEY_UNKNOWN',
      `The host key of ${name} is not in known_hosts: the server offers ${offered}${where === '' ? '' : `, and ${where} trusts only a certificate authority (@cert-authority), but host certificates are not supported`}. The connection was refused.`,
      {
        model:
          'Do not try another way to connect. Report the fingerprint to the user: a person must compare it on the host and add the key to known_hosts.',
        person: `Compare it with the output of "ssh-keygen -lf" on the .pub files in /etc/ssh on the host itself. If it matches, run "mkdir -p ${shellWord(dirname(target.knownHostsWriteFile))} && ssh-keyscan -p ${target.port} ${target.host} >> ${shellWord(target.knownHostsWriteFile)}", or set SSH_HOST_KEY_POLICY=accept-new.`,
      },
    );
  }
  if (verdict.action === 'refuse' && verdict.why === 'revoked') {
    return new AppError(
      'HOST_KEY_CHANGED',
      `${name} offers a host key that is marked as revoked in ${where}: ${offered}. The connection was refused.`,
      {
        model:
          'Do not try another way to connect. Report this to the user: the administrator of the host must generate a new host key.',
        person: 'Do not connect to this host until its administrator has generated a new host key.',
      },
    );
  }
  const old = known
    ? `${where} has ${known.keyType} ${fingerprint(known.key)}`
    : 'it offered another key before';
  return new AppError(
    'HOST_KEY_CHANGED',
    `The host key of ${name} has changed: the server offers ${offered}, but ${old}. The connection was refused.`,
    {
      model:
        'Do not try another way to connect. Report this to the user: someone may be intercepting the connection, or the host was reinstalled.',
      person: `Someone may be intercepting the connection. If the host was reinstalled, compare the new fingerprint on its console, remove ${
        where === '' ? 'the old key' : `line ${where}`
      } and connect again.`,
    },
  );
}
