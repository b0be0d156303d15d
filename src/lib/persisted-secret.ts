import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ensurePrivateDir } from './private-files.ts';

export interface KeptSecret {
  /** 256 random bits as base64url. */
  readonly text: string;
  readonly file: string;
  /** Made just now. */
  readonly isNew: boolean;
}

const FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * A secret that is made when it is first needed, and kept in a directory for its owner alone (mode 600). Processes that
 * ask at the same time agree on one.
 *
 * @throws Error with words for the operator when the file can't be kept private, read or written
 */
export async function keepSecret(dir: string, name: string): Promise<KeptSecret> {
  const file = path.join(dir, name);
  await ensurePrivateDir(dir);
  const known = await readSecret(file);
  if (known !== undefined) return { text: known, file, isNew: false };
  const text = randomBytes(32).toString('base64url');
  if (await publish(file, `${text}\n`)) return { text, file, isNew: true };
  const theirs = await readSecret(file);
  if (theirs === undefined) throw new Error(`${file} vanished while it was read`);
  return { text: theirs, file, isNew: false };
}

async function readSecret(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (!FORM.test(text))
    throw new Error(`${file} holds no secret: delete it, and the next start makes a new one`);
  const { mode } = await stat(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(`${file} may be read by others: delete it, and the next start makes a new one`);
  }
  return text;
}

/**
 * Puts a complete file under a name that nobody has taken.
 * @returns false when somebody else was first
 */
async function publish(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await claim(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** A link appears at once and whole. Where the file system has none, a copy that replaces nothing is the next best. */
async function claim(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error) ?? '')) throw error;
    await copyFile(draft, file, constants.COPYFILE_EXCL);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
