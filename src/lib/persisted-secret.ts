import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { createFileAtomically } from './atomic-file.ts';
import { hasErrno } from './errno.ts';
import { ensurePrivateDir } from './private-files.ts';

export interface KeptSecret {
  /** 256 random bits as base64url. */
  readonly text: string;
  readonly file: string;
  /** Made just now. */
  readonly isNew: boolean;
}

export type SecretEncoding = 'base64url' | 'hex';

const FORMS: Readonly<Record<SecretEncoding, RegExp>> = {
  base64url: /^[A-Za-z0-9_-]{43}$/,
  hex: /^[0-9a-f]{64}$/,
};

/**
 * A secret that is made when it is first needed, and kept in a directory for its owner alone (mode 600). Processes that
 * ask at the same time agree on one.
 *
 * @throws Error with words for the operator when the file can't be kept private, read or written
 */
export async function keepSecret(dir: string, name: string): Promise<KeptSecret> {
  const file = path.join(dir, name);
  const known = await readSecret(file, 'base64url');
  const secret = known === undefined ? await createSecret(file, 'base64url') : { text: known, isNew: false };
  const { mode } = await fs.stat(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(`${file} may be read by others: delete it, and the next start makes a new one`);
  }
  return { text: secret.text, file, isNew: secret.isNew };
}

/**
 * The secret in a file as text; undefined when there is no such file.
 * @throws Error when the file cannot be read or contains anything else
 */
export async function readSecret(file: string, encoding: SecretEncoding): Promise<string | undefined> {
  let text: string;
  try {
    text = (await fs.readFile(file, 'latin1')).trim();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (FORMS[encoding].test(text)) return text;
  // A key that signs the audit log is not to be replaced lightly, so deleting it is not advised.
  throw new Error(
    encoding === 'hex'
      ? `${file} holds no key: 64 hexadecimal digits were expected`
      : `${file} holds no secret: delete it, and the next start makes a new one`,
  );
}

/**
 * Makes a secret in a file that only its owner can read, and the directory too; or takes that of another process that was
 * first.
 */
export async function createSecret(
  file: string,
  encoding: SecretEncoding,
): Promise<{ readonly text: string; readonly isNew: boolean }> {
  await ensurePrivateDir(path.dirname(file));
  const text = randomBytes(32).toString(encoding);
  if (await createFileAtomically(file, `${text}\n`, 0o600)) return { text, isNew: true };
  const theirs = await readSecret(file, encoding);
  if (theirs === undefined) throw new Error(`${file} was removed as soon as it was made`);
  return { text: theirs, isNew: false };
}
