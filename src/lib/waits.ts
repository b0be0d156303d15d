import { setMaxListeners } from 'node:events';

/**
 * Allows any number of listeners, for a signal of work on many nodes or containers: Node.js would print a warning about a memory
 * leak at the eleventh.
 */
export function allowListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}

/** Waits for `work`, a timeout or a cancellation. Removes its timer and listener. Rejects if `work` does. */
export async function firstOf<T>(
  work: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T | 'timeout' | 'cancelled'> {
  if (signal?.aborted) return 'cancelled';
  if (signal !== undefined) allowListeners(signal);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<'timeout'>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, 'timeout');
      }),
      new Promise<'cancelled'>((resolve) => {
        onAbort = () => resolve('cancelled');
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
