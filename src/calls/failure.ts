import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/**
 * What the caller is told of whatever was thrown. What was not meant for the caller is replaced by an id, under which the
 * log has it in full.
 */
export function toAppError(
  thrown: unknown,
  call: { readonly tool: { readonly name: string }; readonly signal: AbortSignal },
  logger: Logger,
): AppError {
  if (thrown instanceof AppError) return thrown;
  if (call.signal.aborted && (thrown === call.signal.reason || isAbortError(thrown))) {
    return new AppError('CANCELLED', 'The call was cancelled.', 'Call again if it is still wanted.', {
      cause: thrown,
    });
  }
  // Web Crypto, because loading node:crypto would cost every start of the server 3 ms.
  const id = crypto.randomUUID().slice(0, 8);
  logger.error({ error: thrown, id, tool: call.tool.name }, 'internal error');
  return new AppError(
    'INTERNAL',
    `internal error ${id}`,
    `This is a fault of the server. Its log has the details under the id ${id}.`,
    { cause: thrown },
  );
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
