import { expect, test } from 'vitest';
import { shareLimit } from './share-limit.ts';

test.each([
  [10, 10, 100, 10, 10],
  [1000, 1000, 100, 75, 25],
  [1000, 10, 100, 90, 10],
  [10, 1000, 100, 10, 90],
  [1000, 0, 100, 100, 0],
  [0, 1000, 100, 0, 100],
  [1000, 1000, 0, 0, 0],
])('%i and %i characters within %i: %i and %i', (out, err, limit, stdout, stderr) => {
  expect(shareLimit(out, err, limit)).toEqual({ stdout, stderr });
});
