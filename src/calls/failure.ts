import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/**
 * The AppError for a thrown value. Other errors may contain anything, so they are logged under an id, and the caller gets
 * only the id.
 */
export function toAppError(
  thrown: unknown,
  call: { readonly tool: { readonly name: string }; readonly signal: AbortSignal },
  logger: Logger,
): AppError {
  if (thrown instanceof AppError) return thrown;
  if (call.signal.aborted && (thrown === call.signal.reason || isAbortError(thrown))) {
    return new AppError('CANCELLED', 'The call was cancelled.', 'Call again if the result is still needed.', {
      cause: thrown,
    });
  }
  // Web Crypto, because loading node:crypto would take 3 ms of every server start.
  const id = crypto.randomUUID().slice(0, 8);
  logger.error({ error: thrown, id, tool: call.tool.name }, 'internal error');
  return new AppError(
    'INTERNAL',
    `Internal error ${id} in the server.`,
    {
      model: `Report this to the user: it is a bug, and the log of the server has the details under the ID ${id}.`,
      person: `This is a bug. Please report it with the log entry that has the ID ${id}.`,
    },
    { cause: thrown },
  );
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
