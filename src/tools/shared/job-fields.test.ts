import { expect, test } from 'vitest';
import { longestWaitS } from './job-fields.ts';

test('a call waits for a job as long as requested only if progress keeps the client waiting, and never beyond WAIT_LIMIT', () => {
  expect(longestWaitS({ settings: {}, showsProgress: true })).toBeGreaterThanOrEqual(300);
  expect(longestWaitS({ settings: {}, showsProgress: false })).toBe(45);
  expect(longestWaitS({ settings: { waitLimit: 60 }, showsProgress: false })).toBe(60);
  expect(longestWaitS({ settings: { waitLimit: 45 }, showsProgress: true })).toBe(45);
});
