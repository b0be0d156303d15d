import { expect, test } from 'vitest';
import { answerForm } from './accept.ts';

const post = { method: 'POST', onlyStreams: false };

test.each([
  [null, 'json'],
  ['', 'json'],
  ['*/*', 'json'],
  ['application/json', 'json'],
  ['APPLICATION/JSON; charset=utf-8', 'json'],
  ['application/*', 'json'],
  ['application/json, text/plain, */*', 'json'],
  ['text/html, */*;q=0.1', 'json'],
  ['application/json, text/event-stream;q=0', 'json'],
  ['text/event-stream', 'stream'],
  ['text/*', 'stream'],
  ['application/json;q=0, */*', 'stream'],
  ['application/json;q=0, text/event-stream;q=0.5', 'stream'],
  ['application/json, text/event-stream', 'either'],
  ['text/event-stream;q=0.1,application/json', 'either'],
  ['text/event-stream, */*', 'either'],
  ['text/html', undefined],
  ['application/json;q=0', undefined],
  ['*/*;q=0', undefined],
] as const)('answers POST with Accept %j by: %s', (accept, form) => {
  expect(answerForm(accept, post)).toBe(form);
});

test.each([
  [null, 'either'],
  ['*/*', 'either'],
  ['text/event-stream', 'either'],
  ['application/json', undefined],
  ['text/event-stream;q=0, */*', undefined],
] as const)('answers a stream-only request with Accept %j by: %s', (accept, form) => {
  expect(answerForm(accept, { method: 'GET', onlyStreams: false })).toBe(form);
  expect(answerForm(accept, { method: 'POST', onlyStreams: true })).toBe(form);
});

test('answers DELETE whatever the Accept header', () => {
  expect(answerForm('text/html', { method: 'DELETE', onlyStreams: false })).toBe('either');
});
