import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError, messageOf } from '../../../lib/errors.ts';
import { ensurePrivateDir } from '../../../lib/private-files.ts';

export interface GeneratedToken {
  readonly token: string;
  readonly file: string;
  /** Made by this start: it is to be shown, once. */
  readonly isNew: boolean;
}

const FILE_NAME = 'http-token';
const FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * The token of a server for which none was configured: read from the state directory, or made there (256 random bits,
 * mode 600). Servers that start at the same time agree on one.
 *
 * @throws AppError STATE_UNAVAILABLE when the file can't be kept private, read or written
 */
export async function ensureGeneratedToken(stateDir: string): Promise<GeneratedToken> {
  try {
    return await readOrMake(stateDir, path.join(stateDir, FILE_NAME));
  } catch (error) {
    throw new AppError(
      'STATE_UNAVAILABLE',
      `The token for HTTP cannot be kept: ${messageOf(error)}.`,
      'Correct that, or set HTTP_TOKEN_FILE, or another STATE_DIR.',
      { cause: error },
    );
  }
}

async function readOrMake(stateDir: string, file: string): Promise<GeneratedToken> {
  await ensurePrivateDir(stateDir);
  const known = await readToken(file);
  if (known !== undefined) return { token: known, file, isNew: false };
  const token = randomBytes(32).toString('base64url');
  if (await publish(file, `${token}\n`)) return { token, file, isNew: true };
  const theirs = await readToken(file);
  if (theirs === undefined) throw new Error(`${file} vanished while it was read`);
  return { token: theirs, file, isNew: false };
}

async function readToken(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (!FORM.test(text))
    throw new Error(`${file} holds no token: delete it, and the next start makes a new one`);
  const { mode } = await stat(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(`${file} may be read by others: delete it, and the next start makes a new token`);
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
