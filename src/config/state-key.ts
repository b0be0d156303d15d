import { AppError, messageOf } from '../lib/errors.ts';
import { ensurePrivateDir } from '../lib/private-files.ts';

const FILE = 'state-key';

/**
 * The key that signs what travels through clients and comes back. Without STATE_KEY it is made once and kept in
 * STATE_DIR, so that it outlasts a restart and processes that share the directory share it.
 * @throws AppError STATE_UNAVAILABLE
 */
export async function readStateKey({
  stateKey,
  stateDir,
}: {
  readonly stateKey?: string | undefined;
  readonly stateDir: string;
}): Promise<Uint8Array> {
  if (stateKey !== undefined) return Buffer.from(stateKey, 'utf8');
  const [{ link, readFile, unlink, writeFile }, { join }, { randomBytes }] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('node:crypto'),
  ]);
  const file = join(stateDir, FILE);
  const read = async () => Buffer.from((await readFile(file, 'utf8')).trim(), 'base64url');
  try {
    await ensurePrivateDir(stateDir);
    const known = await read().catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (known !== undefined) return longEnough(known, file);
    // Linked into place, so that of two processes that start at once both get the same whole key.
    const own = join(stateDir, `.${FILE}-${randomBytes(6).toString('hex')}`);
    await writeFile(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    await link(own, file).catch(() => {});
    await unlink(own);
    return longEnough(await read(), file);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unavailable(`The key that signs state cannot be kept: ${messageOf(error)}`, error);
  }
}

function longEnough(key: Buffer, file: string): Uint8Array {
  if (key.length >= 32) return key;
  throw unavailable(`${file} holds no key of 32 bytes.`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unavailable(message: string, cause?: unknown): AppError {
  const hint = 'Ask the operator to correct STATE_DIR, or to set STATE_KEY_FILE.';
  return new AppError('STATE_UNAVAILABLE', message, hint, { cause });
}
