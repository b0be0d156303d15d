import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, table } from './format.ts';

describe('formatBytes', () => {
  test.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0 KB'],
    [122_880, '120 KB'],
    [1_048_575, '1.0 MB'],
    [10_485_760, '10.0 MB'],
    [5e15, '4547 TB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  test.each([
    [40.4, '40 ms'],
    [1234, '1.2 s'],
    [9999, '10 s'],
    [59_999, '1 min'],
    [185_000, '3 min 5 s'],
    [86_400_000, '1 d'],
    [187_200_000, '2 d 4 h'],
  ])('%d is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test('table aligns columns and ends lines without blanks', () => {
  expect(
    table([
      ['VMID', 'NAME'],
      ['101', 'a'],
    ]),
  ).toBe('VMID  NAME\n101   a');
});
