import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { type: 'minor' }) => void;

let collect: Collect | undefined;

/**
 * Collects what was allocated recently, which takes a fraction of a millisecond. V8 itself lets 32 MB of buffers accumulate first,
 * although those of received packets are garbage at once.
 */
export function collectRecentGarbage(): void {
  collect ??= exposed();
  collect({ type: 'minor' });
}

/**
 * Collects all garbage, soon, when nothing else is to be done. For a call with much data, which survives the collections during
 * the call: without it, the garbage of five such calls accumulates.
 */
export function collectGarbageSoon(): void {
  setImmediate(() => {
    collect ??= exposed();
    collect();
  });
}

function exposed(): Collect {
  v8.setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (...options) => void gc(...options) : () => {};
}
