import type { Attempts } from './request-store.ts';

/** A few typing errors cause no delay; guessing does. */
const FREE = 4;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

/** How long no further attempt is allowed, in ms. A clock that was set back does not make it longer than the delay itself. */
export function waitFor({ failures, lastAt }: Attempts, now: number): number {
  if (failures <= FREE) return 0;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - FREE - 1));
  return Math.min(wait, Math.max(0, lastAt + wait - now));
}
