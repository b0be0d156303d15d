import { describe, expect, test } from 'vitest';
import { formatBytes } from './format.ts';

describe('formatBytes', () => {
  test.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0 KB'],
    [122_880, '120 KB'],
    [1_048_575, '1.0 MB'],
    [10_485_760, '10.0 MB'],
    [5e15, '4547 TB'],
  ])('formats %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
