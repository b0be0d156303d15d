import { AppError, messageOf } from '../lib/errors.ts';

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
  try {
    // Loaded when it is needed: most starts sign nothing.
    const { persistedSecret } = await import('../lib/persisted-secret.ts');
    return Buffer.from((await persistedSecret(stateDir, FILE)).text, 'base64url');
  } catch (error) {
    throw new AppError(
      'STATE_UNAVAILABLE',
      `The key that signs state cannot be kept: ${messageOf(error)}.`,
      'Ask the operator to correct STATE_DIR, or to set STATE_KEY_FILE.',
      { cause: error },
    );
  }
}
