import { expect, test } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import type { Replacement } from '../proxmox-types.ts';
import { applyEdits } from './apply-edits.ts';

const edit = (old: string, changed: string, replaceAll = false): Replacement => ({
  old,
  new: changed,
  replaceAll,
});
const apply = (content: string, ...edits: Replacement[]) =>
  applyEdits(Buffer.from(content, 'latin1'), edits).toString('latin1');

function failure(content: string, ...edits: Replacement[]): string {
  try {
    apply(content, ...edits);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'applied';
}

test('replaces one after the other', () => {
  expect(apply('a b c', edit('b', 'x'), edit('x c', 'y'))).toBe('a y');
  expect(apply('a\na\n', edit('a', 'b', true))).toBe('b\nb\n');
});

test('takes the new text literally', () => {
  expect(apply('a', edit('a', "$& $' $1 $$"))).toBe("$& $' $1 $$");
});

test('keeps bytes that are no UTF-8, and writes UTF-8', () => {
  expect(apply('\xff\x00a', edit('a', 'ä'))).toBe('\xff\x00\xc3\xa4');
  expect(apply('\xc3\xa4', edit('ä', 'a'))).toBe('a');
});

test('uses CRLF where all lines end in it, and only there', () => {
  expect(apply('a\r\nb\r\n', edit('a\nb', 'x\ny\nz'))).toBe('x\r\ny\r\nz\r\n');
  expect(apply('a\r\nb\n', edit('b', 'x\ny'))).toBe('a\r\nx\ny\n');
  expect(failure('a\r\nb\n', edit('a\nb', 'x'))).toContain('EDIT_FAILED');
});

test('names the edit, the lines, and a line that differs in blanks', () => {
  expect(failure('a\nb\na\n', edit('a', 'x'))).toContain('occurs 2 times (lines 1, 3)');
  expect(failure('a\n', edit('a', 'b'), edit('a', 'c'))).toContain('`old` of edit 2 does not occur');
  expect(failure('x\n\tlisten  80;\n', edit('  listen 80;', 'y'))).toContain(
    'Line 2 differs from it only in blanks',
  );
  expect(failure('x\n', edit('y', 'z'))).not.toContain('blanks');
});

test('replaces occurrences that do not overlap, and does not take one of two that do', () => {
  expect(apply('aaaa', edit('aa', 'b', true))).toBe('bb');
  expect(failure('aaa', edit('aa', 'b'))).toContain('occurs 2 times (lines 1, 1)');
});

test('says that a file is not UTF-8 if that may be why a text does not occur', () => {
  expect(failure('caf\xe9\n', edit('café', 'x'))).toContain('The file is not UTF-8');
  expect(failure('caf\xe9\n', edit('cafe', 'x'))).not.toContain('UTF-8');
  expect(failure('caf\xc3\xa9\n', edit('Café', 'x'))).not.toContain('UTF-8');
});

test('refuses a result that is too large before it is made', () => {
  expect(failure('a'.repeat(1e6), edit('a', 'b'.repeat(5e4), true))).toContain('FILE_TOO_LARGE');
  expect(apply('a'.repeat(1e6), edit('a', 'b', true))).toBe('b'.repeat(1e6));
});

test('searches a text that nearly matches everywhere in time', () => {
  const wanted = `${'a\n'.repeat(200_000)}b`;
  expect(failure('a \n'.repeat(500_000), edit(wanted, 'x'))).toContain('does not occur');
});
