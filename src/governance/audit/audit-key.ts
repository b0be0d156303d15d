import path from 'node:path';
import { createSecret, readSecret } from '../../lib/persisted-secret.ts';

const KEY_FILE = 'audit.key';

/** The source of the audit key. */
export interface KeySource {
  readonly stateDir: string;
  /** The text of AUDIT_KEY; undefined: the file in the state directory. */
  readonly auditKey?: string | undefined;
}

/** The key; undefined if there is none. @throws Error if the file exists but cannot be used */
export async function findKey({ stateDir, auditKey }: KeySource): Promise<Buffer | undefined> {
  if (auditKey !== undefined) return Buffer.from(auditKey);
  const text = await readSecret(path.join(stateDir, KEY_FILE), 'hex');
  return text === undefined ? undefined : Buffer.from(text, 'hex');
}

/** The key, generated if there is none. If several processes start at once, the first one generates it for all. */
export async function ensureKey(source: KeySource): Promise<Buffer> {
  const found = await findKey(source);
  if (found !== undefined) return found;
  return Buffer.from((await createSecret(path.join(source.stateDir, KEY_FILE), 'hex')).text, 'hex');
}
