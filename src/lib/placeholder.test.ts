import { expect, test } from 'vitest';
import { findPlaceholder, LONGEST_PLACEHOLDER, placeholderOf } from './placeholder.ts';

test.each([
  ['a command', `echo "pw=${placeholderOf('password', '0a1b2c')}"`],
  ['nested arguments', { a: [1, { b: placeholderOf('SSH_PASSWORD', 'ffffff') }] }],
  ['a two-word kind', placeholderOf('private key', '123456')],
])('finds a placeholder in %s', (_, value) => {
  expect(findPlaceholder(value)).toMatch(/^\[redacted: [\w ]+ [0-9a-f]{6}\]$/);
});

test.each([
  ['text that mentions redaction', 'grep -F "[redacted: password]" app.log'],
  ['numbers and null', { a: 1, b: null }],
  ['an id of other length', '[redacted: password 0a1b2]'],
])('finds no placeholder in %s', (_, value) => {
  expect(findPlaceholder(value)).toBeUndefined();
});

test('limits placeholders to the length kept of a chunk', () => {
  const longest = placeholderOf('A'.repeat(61), 'ffffff');
  expect(findPlaceholder(longest)).toBe(longest);
  expect(longest.length).toBeLessThanOrEqual(LONGEST_PLACEHOLDER);
});
