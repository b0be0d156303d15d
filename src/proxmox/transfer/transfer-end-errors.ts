import { AppError } from '../../lib/errors.ts';

/** A transfer without any progress for this long is aborted. */
export const IDLE_LIMIT_MS = 30_000;

/** @param readsOnly nothing is written on either side */
export function connectionLost(readsOnly: boolean): AppError {
  return new AppError(
    'DISCONNECTED',
    'The connection to the node was lost during the transfer.',
    readsOnly
      ? 'Nothing was changed. Call again.'
      : 'The destination has either its old content or the complete new one. Call again with overwrite=true to be sure.',
  );
}

/** @param readsOnly nothing is written on either side */
export function transferCancelled(readsOnly: boolean): AppError {
  return new AppError(
    'CANCELLED',
    `The transfer was cancelled.${readsOnly ? '' : ' The destination was not changed.'}`,
    'Call again if the transfer is still needed.',
  );
}

export function transferStalled(): AppError {
  return new AppError(
    'TRANSFER_STALLED',
    `The transfer was aborted, because there was no progress for ${IDLE_LIMIT_MS / 1000} s.`,
    'Check the disks and the network of the node, then call again.',
  );
}
