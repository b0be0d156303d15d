import { expect, test } from 'vitest';
import { integer, oneLine } from './plain-text.ts';

test('a text of several lines becomes one', () => {
  expect(oneLine(' a\nb\tc ')).toBe('a<U+000A>b<U+0009>c');
});

test('a text that is too long is cut between words, so that no part of a token remains', () => {
  const token = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
  expect(oneLine(`server --token ${token} --port 80`, 30)).toBe('server --token…');
  expect(oneLine(`server --token ${token}`, 60)).toContain(token);
  expect(oneLine('x'.repeat(101), 100)).toBe(`${'x'.repeat(100)}…`);
});

test('a number is an integer that is exact', () => {
  expect(['7', '-7', '7.5', '9'.repeat(17), undefined].map(integer)).toEqual([7, null, null, null, null]);
});
