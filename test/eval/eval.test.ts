import { expect, test } from 'vitest';
import { readLimits, regressions } from './limits.ts';
import { measureJobs } from './measure.ts';

test('completes each task within the recorded calls, characters and tokens', async () => {
  expect(regressions(await measureJobs(), await readLimits())).toEqual([]);
});

test('reports a task that is incomplete or needs more', () => {
  const cost = { calls: 1, characters: 100, tokens: 30 };
  const limits = { a: cost };
  expect(regressions([{ job: 'a', ...cost, missing: [] }], limits)).toEqual([]);
  expect(regressions([{ job: 'a', ...cost, calls: 2, tokens: 31, missing: [] }], limits)).toEqual([
    'a: 2 calls, at most 1',
    'a: 31 tokens, at most 30',
  ]);
  expect(regressions([{ job: 'a', ...cost, missing: ['/x/'] }], limits)).toEqual([
    'a: not done, /x/ is missing',
  ]);
  expect(regressions([{ job: 'b', ...cost, missing: [] }], limits)).toHaveLength(1);
});
