import { expect, test } from 'vitest';
import { withArgumentsObject } from './lenient-arguments.ts';

const call = (given: unknown) => ({ id: 1, method: 'tools/call', params: { name: 'x', arguments: given } });
const none = { id: 1, method: 'tools/call', params: { name: 'x' } };

test.each([[null], [''], [' '], ['null'], [[]]])('%j is no arguments', (given) => {
  expect(withArgumentsObject(call(given))).toEqual(none);
});

test('the text of a JSON object is that object', () => {
  expect(withArgumentsObject(call('{"vmid":101}'))).toEqual(call({ vmid: 101 }));
});

test.each([[{}], [{ vmid: 101 }], [[101]], ['vmid=101'], ['[101]'], [101], [true]])(
  '%j stays as it is',
  (given) => {
    const message = call(given);
    expect(withArgumentsObject(message)).toBe(message);
  },
);

test('every message of a batch; messages without arguments stay as they are', () => {
  const other = { method: 'notifications/initialized' };
  expect(withArgumentsObject([call(null), other, null, 'x'])).toEqual([none, other, null, 'x']);
});
