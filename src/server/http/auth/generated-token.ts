import { AppError, messageOf } from '../../../lib/errors.ts';
import { keepSecret } from '../../../lib/persisted-secret.ts';

export interface GeneratedToken {
  readonly token: string;
  readonly file: string;
  /** Made by this start: it is to be shown, once. */
  readonly isNew: boolean;
}

/**
 * The token of a server for which none was configured: read from the state directory, or made there.
 * @throws AppError STATE_UNAVAILABLE when it cannot be kept
 */
export async function ensureGeneratedToken(stateDir: string): Promise<GeneratedToken> {
  try {
    const { text, file, isNew } = await keepSecret(stateDir, 'http-token');
    return { token: text, file, isNew };
  } catch (error) {
    throw new AppError(
      'STATE_UNAVAILABLE',
      `The token for HTTP cannot be kept: ${messageOf(error)}.`,
      'Correct that, or set HTTP_TOKEN_FILE, or another STATE_DIR.',
      { cause: error },
    );
  }
}
