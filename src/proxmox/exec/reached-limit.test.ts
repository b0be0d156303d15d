import { expect, test } from 'vitest';
import { limitSentence } from './reached-limit.ts';

const container = { kind: 'container', vmid: 101 } as const;

test.each([
  [[['pids', '510 512']], 'Container 101 has 510 of at most 512 processes.'],
  [
    [
      ['pids', '10 512'],
      ['killed', '3 536870912'],
    ],
    'Container 101 has reached its memory limit of 512 MiB: the kernel has killed 3 processes of it since its start.',
  ],
  [
    [['killed', '1 9223372036854771712']],
    'Container 101 has reached its memory limit: the kernel has killed 1 process of it since its start.',
  ],
  [
    [
      ['pids', '10 512'],
      ['killed', '0 536870912'],
    ],
    null,
  ],
  [[['pids', 'x y']], null],
  [[], null],
] as const)('tells the limit that %j reaches', (items, sentence) => {
  expect(limitSentence(items, container)).toBe(sentence);
});

test('names the node', () => {
  expect(limitSentence([['pids', '32768 32768']], { kind: 'host' })).toBe(
    'The node has 32768 of at most 32768 processes.',
  );
});
