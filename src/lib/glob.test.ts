import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PATTERN, matchesGlob } from './glob.ts';

test.each([
  ['web-1', 'web-1', true],
  ['web-1', 'web-10', false],
  ['web-*', 'web-', true],
  ['web-*', 'web-1.lan', true],
  ['*', '', true],
  ['?', '', false],
  ['web-?', 'web-12', false],
  ['*.lan', 'web.lan.', false],
  ['*a*b', 'xaxbxab', true],
  // Characters that are special in regular expressions are plain text.
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['a+', 'aa', false],
])('matches %s against %j: %s', (pattern, text, expected) => {
  expect(matchesGlob(pattern, text)).toBe(expected);
});

test('agrees with a naive implementation', () => {
  const defined = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === '';
    if (pattern.startsWith('*')) {
      return defined(pattern.slice(1), text) || (text !== '' && defined(pattern, text.slice(1)));
    }
    return (
      text !== '' &&
      (pattern[0] === '?' || pattern[0] === text[0]) &&
      defined(pattern.slice(1), text.slice(1))
    );
  };
  const letters = (max: number, ...units: string[]) =>
    fc.string({ unit: fc.constantFrom(...units), maxLength: max });
  fc.assert(
    fc.property(letters(7, 'a', 'b', '*', '?'), letters(9, 'a', 'b'), (pattern, text) => {
      expect(matchesGlob(pattern, text)).toBe(defined(pattern, text));
    }),
    { numRuns: 2000 },
  );
});

describe('a pattern built to be slow', () => {
  // With backtracking, as in a regular expression, these need more steps than there are atoms: the test would not end.
  test.each([
    ['many stars and letters', `${'*a'.repeat(MAX_PATTERN / 2)}b`, 'a'.repeat(255), false],
    ['nothing but stars', `${'*'.repeat(MAX_PATTERN - 1)}b`, 'a'.repeat(255), false],
    ['more wildcards than letters', '*?'.repeat(MAX_PATTERN / 2), 'a'.repeat(99), false],
    ['a long text', `${'*a?'.repeat(66)}b`, 'a'.repeat(100_000), false],
  ])('%s', (_name, pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });
});
