import { describe, expect, test } from 'vitest';
import { formatDuration } from './duration.ts';

describe('formatDuration', () => {
  test.each([
    [40.4, '40 ms'],
    [1234, '1.2 s'],
    [9999, '10 s'],
    [59_999, '1 min'],
    [185_000, '3 min 5 s'],
    [86_400_000, '1 d'],
    [187_200_000, '2 d 4 h'],
  ])('formats %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
