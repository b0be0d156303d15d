import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createSecret, readSecret } from '../../lib/persisted-secret.ts';

export const KEY_FILE = 'audit.key';

/** Where the key of the record comes from. */
export interface KeySource {
  readonly stateDir: string;
  /** The text of AUDIT_KEY; undefined: the file in the state directory. */
  readonly auditKey?: string | undefined;
}

/** The key, if there is one. @throws Error when the file is there and cannot be used */
export async function findKey({ stateDir, auditKey }: KeySource): Promise<Buffer | undefined> {
  if (auditKey !== undefined) return Buffer.from(auditKey);
  const text = await readSecret(path.join(stateDir, KEY_FILE), 'hex');
  return text === undefined ? undefined : Buffer.from(text, 'hex');
}

/** When the file was made; undefined when the key comes from elsewhere or there is none. */
export async function keyMadeAt({ stateDir, auditKey }: KeySource): Promise<Date | undefined> {
  if (auditKey !== undefined) return undefined;
  // It is never written again, and not every file system knows when a file was born.
  return stat(path.join(stateDir, KEY_FILE)).then(
    ({ mtime }) => mtime,
    () => undefined,
  );
}

/** The key, made if there is none. Whichever of several processes is first makes it for all. */
export async function ensureKey(source: KeySource): Promise<Buffer> {
  const found = await findKey(source);
  if (found !== undefined) return found;
  return Buffer.from((await createSecret(path.join(source.stateDir, KEY_FILE), 'hex')).text, 'hex');
}
