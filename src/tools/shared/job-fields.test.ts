import { afterEach, expect, test, vi } from 'vitest';
import { longestWaitS, patiently } from './job-fields.ts';

afterEach(() => void vi.useRealTimers());

const caller = (name: string) => ({ name, permissions: new Set<never>() });
const waiting = (more: { waitLimit?: number; showsProgress?: boolean; name?: string; cluster?: object }) => ({
  cluster: more.cluster ?? {},
  caller: caller(more.name ?? 'local'),
  settings: more.waitLimit === undefined ? {} : { waitLimit: more.waitLimit },
  showsProgress: more.showsProgress ?? true,
});

test('a call waits for a job as long as requested only if progress keeps the client waiting, and never beyond WAIT_LIMIT', () => {
  expect(longestWaitS(waiting({}))).toBeGreaterThanOrEqual(300);
  expect(longestWaitS(waiting({ showsProgress: false }))).toBe(45);
  expect(longestWaitS(waiting({ showsProgress: false, waitLimit: 60 }))).toBe(60);
  expect(longestWaitS(waiting({ waitLimit: 45 }))).toBe(45);
});

test.each([
  [60_000, true, 45],
  [20_000, true, Number.POSITIVE_INFINITY],
  [60_000, false, Number.POSITIVE_INFINITY],
])(
  'after a wait of %i ms (given up: %s), the next ones of this caller last %i s',
  async (ms, aborted, longest) => {
    vi.useFakeTimers();
    const cluster = {};
    const abort = new AbortController();
    const wait = async () => {
      vi.advanceTimersByTime(ms);
      if (!aborted) return;
      abort.abort();
      throw new Error('cancelled');
    };
    const given = patiently({ ...waiting({ cluster }), signal: abort.signal }, wait);
    await (aborted ? expect(given).rejects.toThrow('cancelled') : given);
    expect(longestWaitS(waiting({ cluster }))).toBe(longest);
    expect(longestWaitS(waiting({ cluster, name: 'other' }))).toBe(Number.POSITIVE_INFINITY);
  },
);
