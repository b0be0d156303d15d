import type { Attempts } from './request-store.ts';

/** Typing errors are free; who guesses is not in a hurry. */
const FREE = 4;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

/** How long nobody may try again, in ms. A clock that was set back does not lengthen it beyond the wait itself. */
export function waitFor({ failures, lastAt }: Attempts, now: number): number {
  if (failures <= FREE) return 0;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - FREE - 1));
  return Math.min(wait, Math.max(0, lastAt + wait - now));
}
