import { createTwoFilesPatch } from 'diff';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import { applyDiff } from './apply-diff.ts';

const apply = (content: string, diff: string) =>
  applyDiff(Buffer.from(content, 'latin1'), diff).toString('latin1');

function failure(content: string, diff: string): string {
  try {
    apply(content, diff);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'applied';
}

test('applies what a diff program makes of two texts, with and without a final newline', () => {
  const line = fc.constantFrom('a', 'b', 'c', '', ' x', '-y', '+z');
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
    .map(([lines, ended]) => lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after);
      // Whole-file context, so that the place is unique.
      const diff = createTwoFilesPatch('f', 'f', before, after, '', '', { context: 100 });
      expect(apply(before, diff)).toBe(after);
    }),
    { numRuns: 2_000 },
  );
});

describe('the place of a hunk', () => {
  test('is the line that it names, or the only other one that matches', () => {
    expect(apply('a\nb\na\n', '@@ -3 +3 @@\n-a\n+x\n')).toBe('a\nb\nx\n');
    expect(apply('0\n1\n2\nb\n', '@@ -1,1 +1,1 @@\n-b\n+x\n')).toBe('0\n1\n2\nx\n');
    expect(apply('0\nb\n', '@@\n-b\n+x\n')).toBe('0\nx\n');
  });

  test('is refused where several match or none', () => {
    expect(failure('0\nb\nb\n', '@@ -1 +1 @@\n-b\n+x\n')).toContain(
      'Hunk 1 of the diff matches in 2 places (lines 2, 3)',
    );
    expect(failure('a\n', '@@ -1 +1 @@\n-b\n+x\n')).toContain('does not match');
    expect(failure('a \n', '@@ -1 +1 @@\n-a\n+x\n')).toContain('does not match');
    expect(failure('a\nb\n', '@@ -2 +2 @@\n-b\n+x\n@@ -1 +1 @@\n-a\n+y\n')).toContain('Hunk 2');
  });
});

test('line counts that are wrong do no harm', () => {
  expect(apply('a\nb\nc\n', '@@ -1,9 +1,7 @@\n a\n-b\n+x\n c\n')).toBe('a\nx\nc\n');
});

test('keeps CRLF, bytes that are no UTF-8, and a missing final newline', () => {
  expect(apply('a\r\n\xff\r\nc', '@@ -1 +1 @@\n-a\n+x\n')).toBe('x\r\n\xff\r\nc');
  expect(apply('a\nb', '@@ -2 +2,2 @@\n-b\n+x\n+y\n')).toBe('a\nx\ny');
  expect(apply('a\nb', '@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+x\n')).toBe('a\nx\n');
  expect(apply('a\nb\n', '@@ -2 +2 @@\n-b\n+x\n\\ No newline at end of file\n')).toBe('a\nx');
});

test('ends a last line without a newline before it adds lines after it', () => {
  expect(apply('a', '@@ -1,0 +2 @@\n+b\n')).toBe('a\nb');
});

test('ignores empty lines after a hunk that has all lines it announces', () => {
  expect(apply('a\nb\nc\nd\n', '@@ -1,1 +1,1 @@\n-a\n+A\n\n@@ -3,2 +3,2 @@\n-c\n+C\n d\n\n\n')).toBe(
    'A\nb\nC\nd\n',
  );
});

test('takes removed and added lines that begin like the names of files for lines', () => {
  expect(apply('-- x\ny\n', '--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- x\n+++ z\n y\n')).toBe('++ z\ny\n');
});

test('searches a hunk that nearly matches everywhere in time', () => {
  expect(failure('\n'.repeat(1e6), `@@ @@\n${' \n'.repeat(400_000)}-x\n`)).toContain('does not match');
});

test('adds lines to an empty file', () => {
  expect(apply('', '@@ -0,0 +1 @@\n+x\n')).toBe('x\n');
});

test.each([
  ['text', 'hello'],
  ['several files', '--- a\n+++ a\n@@ -1 +1 @@\n-a\n+b\n--- c\n+++ c\n@@ -1 +1 @@\n-a\n+b\n'],
  ['a line without a sign', '@@ -1 +1 @@\n-a\n+b\nfoo\n'],
])('refuses %s', (_what, diff) => {
  expect(failure('a\n', diff)).toContain('INVALID_INPUT');
});
