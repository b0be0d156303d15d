import { describe, expect, test } from 'vitest';
import { ExpiryTimes } from './expiry-times.ts';

const TTL = 600_000;

/** Two clocks that tests set. */
function clocks() {
  const at = { wall: 1_000_000_000, monotonic: 5_000 };
  const clock = { wall: () => at.wall, monotonic: () => at.monotonic };
  const pass = (ms: number) => {
    at.wall += ms;
    at.monotonic += ms;
  };
  return { at, clock, pass };
}

describe('in the process that asked', () => {
  test.each([
    ['clocks agree', 0],
    ['the wall clock is set back an hour', -3_600_000],
    ['the wall clock is set back a year', -31_536_000_000],
  ])('expires a question exactly at its TTL: %s', (_how, jump) => {
    const { at, clock, pass } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    const asked = lifetimes.begin('a', TTL);
    at.wall += jump;
    pass(TTL - 1);
    expect(lifetimes.isOver('a', asked, TTL)).toBe(false);
    pass(1);
    expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
  });

  test('counts the time that a machine slept', () => {
    const { at, clock } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    const asked = lifetimes.begin('a', TTL);
    at.wall += TTL;
    expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
  });
});

describe('in another process', () => {
  test('compares wall clocks with a tolerance of one minute', () => {
    const { at, clock } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    expect(lifetimes.isOver('a', at.wall - TTL + 1, TTL)).toBe(false);
    expect(lifetimes.isOver('a', at.wall - TTL, TTL)).toBe(true);
    expect(lifetimes.isOver('a', at.wall + 59_000, TTL)).toBe(false);
  });

  test('expires a question from the future, because the clock was set back', () => {
    const { at, clock } = clocks();
    expect(new ExpiryTimes(clock).isOver('a', at.wall + 61_000, TTL)).toBe(true);
  });
});

test('removes entries long after they expired', () => {
  const { clock, pass } = clocks();
  const lifetimes = new ExpiryTimes(clock);
  const asked = lifetimes.begin('a', TTL);
  pass(2 * TTL + 1);
  lifetimes.begin('b', TTL);
  expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
});
