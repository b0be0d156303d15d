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
    ['as time goes', 0],
    ['the wall clock is set back an hour', -3_600_000],
    ['the wall clock is set back a year', -31_536_000_000],
  ])('a question lives for its time and no longer: %s', (_how, jump) => {
    const { at, clock, pass } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    const asked = lifetimes.begin('a', TTL);
    at.wall += jump;
    pass(TTL - 1);
    expect(lifetimes.isOver('a', asked, TTL)).toBe(false);
    pass(1);
    expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
  });

  test('a machine that slept has let the time pass', () => {
    const { at, clock } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    const asked = lifetimes.begin('a', TTL);
    at.wall += TTL;
    expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
  });
});

describe('in another process', () => {
  test('the wall clock counts, and clocks may differ by a minute', () => {
    const { at, clock } = clocks();
    const lifetimes = new ExpiryTimes(clock);
    expect(lifetimes.isOver('a', at.wall - TTL + 1, TTL)).toBe(false);
    expect(lifetimes.isOver('a', at.wall - TTL, TTL)).toBe(true);
    expect(lifetimes.isOver('a', at.wall + 59_000, TTL)).toBe(false);
  });

  test('what was asked in the future was asked before the clock was set back', () => {
    const { at, clock } = clocks();
    expect(new ExpiryTimes(clock).isOver('a', at.wall + 61_000, TTL)).toBe(true);
  });
});

test('what is long over is forgotten', () => {
  const { clock, pass } = clocks();
  const lifetimes = new ExpiryTimes(clock);
  const asked = lifetimes.begin('a', TTL);
  pass(2 * TTL + 1);
  lifetimes.begin('b', TTL);
  expect(lifetimes.isOver('a', asked, TTL)).toBe(true);
});
