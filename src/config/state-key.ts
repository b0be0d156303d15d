import { AppError, messageOf } from '../lib/errors.ts';

const FILE = 'state-key';

/**
 * The key that signs approval requests, which clients return. Without STATE_KEY it is generated once and stored in STATE_DIR, so
 * that it is the same after a restart and in all processes that share the directory.
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
    // Loaded on demand, because most processes sign nothing.
    const { persistedSecret } = await import('../lib/persisted-secret.ts');
    return Buffer.from((await persistedSecret(stateDir, FILE)).text, 'base64url');
  } catch (error) {
    throw new AppError(
      'STATE_UNAVAILABLE',
      `The key that signs approval requests cannot be stored: ${messageOf(error)}.`,
      {
        model: 'Ask the operator to correct STATE_DIR, or to set STATE_KEY_FILE.',
        person: 'Correct STATE_DIR, or set STATE_KEY_FILE.',
      },
      { cause: error },
    );
  }
}
