import { expect, test } from 'vitest';
import { table } from './columns.ts';

test('aligns columns, without trailing spaces', () => {
  expect(
    table([
      ['VMID', 'NAME'],
      ['101', 'a'],
    ]),
  ).toBe('VMID  NAME\n101   a');
});

test('aligns the continuation lines of the last cell', () => {
  expect(
    table(
      [
        ['--a <b>', 'one\ntwo'],
        ['--cc', 'three'],
      ],
      '  ',
    ),
  ).toBe('  --a <b>  one\n           two\n  --cc     three');
});
