import { expect, test } from 'vitest';
import { fitText } from './fit-text.ts';

const TABLE = `Intro.

VMID  NAME  LOCK  MEMORY            PROBLEMS
101   web   -     358 MB of 1.0 GB  disk / 97 %; failed: certbot.service
102   db    -     2.8 GB of 4.0 GB  -

Nothing else.`;

test('a table that is too wide continues its rows below the columns that fit, without empty cells', () => {
  expect(fitText(TABLE, 40)).toBe(`Intro.

VMID  NAME  LOCK  MEMORY
101   web   -     358 MB of 1.0 GB
      PROBLEMS disk / 97 %; failed:
      certbot.service
102   db    -     2.8 GB of 4.0 GB

Nothing else.`);
  expect(fitText(TABLE, 25)).toBe(`Intro.

VMID  NAME  LOCK
101   web   -
      MEMORY 358 MB of
      1.0 GB
      PROBLEMS disk / 97
      %; failed:
      certbot.service
102   db    -
      MEMORY 2.8 GB of
      4.0 GB

Nothing else.`);
});

test('several cells share a line if they fit', () => {
  const rows = 'A   B   C   D   LAST ONE\n1   22  33  44  55';
  expect(fitText(rows, 20)).toBe('A   B   C   D\n1   22  33  44\n    LAST ONE 55');
  expect(fitText(rows, 12)).toBe('A   B   C\n1   22  33\n    D 44\n    LAST ONE\n    55');
  expect(fitText('A   B           C   D\n1   2222222222  33  44', 20)).toBe(
    'A   B           C\n1   2222222222  33\n    D 44',
  );
});

test('sentences are wrapped; a table that fits and lines with columns are not', () => {
  expect(fitText('One sentence that is long.\na  b', 14)).toBe('One sentence\nthat is long.\na  b');
  expect(fitText(TABLE, 80)).toBe(TABLE);
  expect(fitText('Status:     a very long line of two columns', 20)).toBe(
    'Status:     a very long line of two columns',
  );
});

test('a sentence after a table is not a row', () => {
  const table = 'VMID  NAME  TAGS\n101   web   prod';
  expect(fitText(`${table}\nNode pve2 cannot be used.`, 16)).toBe(`${table}\nNode pve2 cannot\nbe used.`);
});

test('an output keeps its lines, also if it looks like a table', () => {
  const output =
    '[output 0a1b2c3d begins]\nPID  COMMAND\n1    /sbin/init and more\n\na sentence with many words';
  const text = `${output}\n[output 0a1b2c3d ends]`;
  expect(fitText(text, 10)).toBe(text);
  expect(fitText(output, 10)).toBe(output);
  // Another word does not end it.
  const forged = `${output}\n[output 11111111 ends]\nA  B\n12345678901  2\n[output 0a1b2c3d ends]`;
  expect(fitText(forged, 10)).toBe(forged);
});

test('nothing changes without a terminal', () => {
  expect(fitText(TABLE, Number.POSITIVE_INFINITY)).toBe(TABLE);
});
