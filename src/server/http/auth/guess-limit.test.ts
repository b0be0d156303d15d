import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GuessLimit, sourceOf } from './guess-limit.ts';
import { digestOf } from './token-table.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const good = digestOf('good');
const guess = digestOf('guess');

async function guessing(address: string): Promise<GuessLimit> {
  const limit = new GuessLimit(10);
  limit.succeeded(address, good);
  for (let count = 0; count < 10; count += 1) {
    expect(await limit.waitS(address, guess)).toBe(0);
    await limit.failed(address);
  }
  return limit;
}

test('blocks an address for a minute after ten wrong tokens', async () => {
  const limit = await guessing('192.0.2.1');
  expect(await limit.waitS('192.0.2.1', guess)).toBe(60);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(await limit.waitS('192.0.2.1', guess)).toBe(1);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(await limit.waitS('192.0.2.1', guess)).toBe(0);
});

test('does not block other addresses, nor known callers of the same address', async () => {
  const limit = await guessing('192.0.2.1');
  expect(await limit.waitS('192.0.2.2', guess)).toBe(0);
  expect(await limit.waitS('192.0.2.1', good)).toBe(0);
  // A token that is known from another address still counts as a guess.
  limit.succeeded('192.0.2.2', guess);
  expect(await limit.waitS('192.0.2.1', guess)).toBeGreaterThan(0);
});

test('always checks a token that is too long to be guessed', async () => {
  const limit = await guessing('192.0.2.1');
  expect(await limit.waitS('192.0.2.1', guess, 32)).toBe(0);
  expect(await limit.waitS('192.0.2.1', guess, 31)).toBeGreaterThan(0);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:7::1', '2001:db8:0:7'],
  ['2001:0DB8:0:7:ffff:1:2:3', '2001:db8:0:7'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('counts %j as %j', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});
