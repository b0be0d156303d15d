import { expect, test } from 'vitest';
import { withArgumentsObject } from './lenient-arguments.ts';

const call = (given: unknown) => ({ id: 1, method: 'tools/call', params: { name: 'x', arguments: given } });
const none = { id: 1, method: 'tools/call', params: { name: 'x' } };

test.each([[null], [''], [' '], ['null'], [[]]])('treats %j as no arguments', (given) => {
  expect(withArgumentsObject(call(given))).toEqual(none);
});

test('parses a string that contains a JSON object', () => {
  expect(withArgumentsObject(call('{"vmid":101}'))).toEqual(call({ vmid: 101 }));
});

test.each([[{}], [{ vmid: 101 }], [[101]], ['vmid=101'], ['[101]'], [101], [true]])(
  'keeps %j unchanged',
  (given) => {
    const message = call(given);
    expect(withArgumentsObject(message)).toBe(message);
  },
);

test('handles every message of a batch, and keeps messages without arguments', () => {
  const other = { method: 'notifications/initialized' };
  expect(withArgumentsObject([call(null), other, null, 'x'])).toEqual([none, other, null, 'x']);
});
