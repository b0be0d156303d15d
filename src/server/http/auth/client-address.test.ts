import { expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['made-up, 203.0.113.9, 192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:4711', '192.0.2.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['[2001:db8::1]:4711', '2001:db8::1'],
  ['unknown', '10.0.0.1'],
  ['', '10.0.0.1'],
])('reads the client address from X-Forwarded-For %j: %s', (header, address) => {
  const request = new Request('http://127.0.0.1/mcp', { headers: { 'x-forwarded-for': header } });
  expect(clientAddress(request, '10.0.0.1', true)).toBe(address);
  expect(clientAddress(request, '10.0.0.1', false)).toBe('10.0.0.1');
});
