import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ensurePrivateDir } from '../../lib/private-files.ts';

const KEY_FILE = 'audit.key';
const HEX_KEY = /^[0-9a-f]{64}$/;

/** The source of the audit key. */
export interface KeySource {
  readonly stateDir: string;
  /** The text of AUDIT_KEY; undefined: the file in the state directory. */
  readonly auditKey?: string | undefined;
}

/** The key, if there is one. @throws Error when the file is there and cannot be used */
export async function findKey({ stateDir, auditKey }: KeySource): Promise<Buffer | undefined> {
  if (auditKey !== undefined) return Buffer.from(auditKey);
  const file = path.join(stateDir, KEY_FILE);
  let text: string;
  try {
    text = (await readFile(file, 'latin1')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (!HEX_KEY.test(text)) throw new Error(`${file} is not a key: 64 hexadecimal digits were expected`);
  return Buffer.from(text, 'hex');
}

/** The key, made if there is none. Whichever of several processes is first makes it for all. */
export async function ensureKey(source: KeySource): Promise<Buffer> {
  const found = await findKey(source);
  if (found !== undefined) return found;
  await ensurePrivateDir(source.stateDir);
  await makeKeyFile(path.join(source.stateDir, KEY_FILE));
  const made = await findKey(source);
  if (made === undefined)
    throw new Error(`${KEY_FILE} in ${source.stateDir} was removed as soon as it was made`);
  return made;
}

/** Under another name first: the file never exists half-written, even if the power goes meanwhile. */
async function makeKeyFile(file: string): Promise<void> {
  const text = `${randomBytes(32).toString('hex')}\n`;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeSynced(draft, text);
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    // Not every file system has links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error))) throw error;
    await writeSynced(file, text).catch((inner) => {
      if (codeOf(inner) !== 'EEXIST') throw inner;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
