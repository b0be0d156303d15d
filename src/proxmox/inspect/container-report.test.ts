import { expect, test } from 'vitest';
import { failureOf, parseContainerReport } from './container-report.ts';

test('the parts of a report, and what precedes it', () => {
  const found = parseContainerReport(
    'lxc-attach: noise\nW began\nlost\nW part os\na\nX part no\nW part b\nW code b 7\nW done system\nW ended\n',
    'W',
  );
  expect(found).toMatchObject({ began: true, ended: true, before: 'lxc-attach: noise' });
  expect([...found.parts]).toEqual([
    ['os', { text: 'a\nX part no\n', code: null }],
    ['b', { text: '', code: 7 }],
  ]);
  expect([...found.done]).toEqual(['system']);
});

test('the name of a part may contain blanks', () => {
  const { parts } = parseContainerReport(
    'W began\nW part file /var/log/a b\nx\nW code file /var/log/a b 0\n',
    'W',
  );
  expect(parts.get('file /var/log/a b')).toEqual({ text: 'x\n', code: 0 });
});

test('a failure states the exit code and the last line', () => {
  expect(failureOf({ text: 'x\nE: locked\n', code: 100 }, 'apt-get')).toBe(
    'apt-get failed with exit code 100: E: locked',
  );
  expect(failureOf({ text: '', code: null }, 'df')).toBe('df did not answer in time.');
  expect(failureOf({ text: 'x', code: 141 }, 'df')).toBe('Only the first lines of df were read.');
  expect(failureOf({ text: '', code: 100 }, 'dnf', [0, 100])).toBeNull();
});
