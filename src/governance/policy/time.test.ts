import { describe, expect, test } from 'vitest';
import { DAYS, isTimeZone, isWithin, type TimeWindow } from './time.ts';

const day = (name: string) => DAYS.indexOf(name);
const window = (days: readonly string[], from: number, to: number, zone: string | null): TimeWindow => ({
  days: new Set(days.map(day)),
  from: from * 60,
  to: to * 60,
  zone,
});

describe('a window from Friday 22:00 to 06:00', () => {
  const night = window(['fri'], 22, 6, 'UTC');
  // 2026-11-20 is a Friday.
  test.each([
    ['2026-11-20T21:59:59Z', false],
    ['2026-11-20T22:00:00Z', true],
    ['2026-11-21T05:59:59Z', true],
    ['2026-11-21T06:00:00Z', false],
    ['2026-11-21T22:00:00Z', false],
    ['2026-11-20T05:00:00Z', false],
  ])('contains %s: %s', (at, expected) => {
    expect(isWithin(night, new Date(at))).toBe(expected);
  });
});

test('excludes the end of a window, and accepts 24:00 as the end of the day', () => {
  const evening = window(['sun'], 20, 24, 'UTC');
  expect(isWithin(evening, new Date('2026-11-22T23:59:59Z'))).toBe(true);
  expect(isWithin(evening, new Date('2026-11-23T00:00:00Z'))).toBe(false);
});

test('uses the clock of a named zone, including summer time', () => {
  const office = window(['wed'], 9, 17, 'Europe/Berlin');
  expect(isWithin(office, new Date('2026-01-14T08:00:00Z'))).toBe(true);
  expect(isWithin(office, new Date('2026-07-15T07:00:00Z'))).toBe(true);
  expect(isWithin(office, new Date('2026-01-14T07:00:00Z'))).toBe(false);
});

test('uses the weekday of the zone', () => {
  const monday = window(['mon'], 0, 24, 'Pacific/Auckland');
  expect(isWithin(monday, new Date('2026-11-22T12:00:00Z'))).toBe(true);
});

test('uses the clock of the server without a zone', () => {
  const at = new Date(2026, 10, 22, 13, 30);
  expect(isWithin(window(['sun'], 13, 14, null), at)).toBe(true);
  expect(isWithin(window(['sun'], 14, 15, null), at)).toBe(false);
});

test('validates names of time zones', () => {
  expect(isTimeZone('Asia/Jakarta')).toBe(true);
  expect(isTimeZone('Asia/Jakrata')).toBe(false);
});
