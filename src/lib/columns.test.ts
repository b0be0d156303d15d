import { expect, test } from 'vitest';
import { table } from './columns.ts';

test('table aligns columns and ends lines without blanks', () => {
  expect(
    table([
      ['VMID', 'NAME'],
      ['101', 'a'],
    ]),
  ).toBe('VMID  NAME\n101   a');
});

test('table continues a last cell of several lines below its beginning', () => {
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
