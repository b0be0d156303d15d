import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { createFileAtomically } from './atomic-file.ts';
import { hasErrno } from './errno.ts';
import { ensurePrivateDir } from './private-files.ts';

export interface PersistedSecret {
  /** 256 random bits as base64url. */
  readonly text: string;
  readonly file: string;
  /** Whether this call has generated it. */
  readonly isNew: boolean;
}

export type SecretEncoding = 'base64url' | 'hex';

const FORMS: Readonly<Record<SecretEncoding, RegExp>> = {
  base64url: /^[A-Za-z0-9_-]{43}$/,
  hex: /^[0-9a-f]{64}$/,
};

/**
 * A secret that is generated at first use and stored in a private file (mode 600). Processes that call this at the same time
 * get the same secret.
 *
 * @throws Error with a message for the operator if the file cannot be read or written, or is not private
 */
export async function persistedSecret(dir: string, name: string): Promise<PersistedSecret> {
  const file = path.join(dir, name);
  const known = await readSecret(file, 'base64url');
  const secret = known === undefined ? await createSecret(file, 'base64url') : { text: known, isNew: false };
  const { mode } = await fs.stat(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(`${file} can be read by other users: delete it, and the next start generates a new one`);
  }
  return { text: secret.text, file, isNew: secret.isNew };
}

/**
 * The secret in a file as text; undefined if the file does not exist.
 * @throws Error if the file cannot be read or has other content
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
  // No advice to delete a hex key: it signs the audit log, which could then not be verified.
  throw new Error(
    encoding === 'hex'
      ? `${file} does not contain a key of 64 hexadecimal digits`
      : `${file} does not contain a valid secret: delete it, and the next start generates a new one`,
  );
}

/**
 * Generates a secret in a private file in a private directory, or returns the secret of another process that was faster.
 */
export async function createSecret(
  file: string,
  encoding: SecretEncoding,
): Promise<{ readonly text: string; readonly isNew: boolean }> {
  await ensurePrivateDir(path.dirname(file));
  const text = randomBytes(32).toString(encoding);
  if (await createFileAtomically(file, `${text}\n`, 0o600)) return { text, isNew: true };
  const theirs = await readSecret(file, encoding);
  if (theirs === undefined) throw new Error(`${file} was removed right after it was created`);
  return { text: theirs, isNew: false };
}
