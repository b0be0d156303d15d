import { expect, test } from 'vitest';
import type { ExecResult } from '../../proxmox/proxmox-types.ts';
import { captureLimit, DistinctOutputs } from './fleet-batches.ts';

const result = (digest: string, durationMs: number): ExecResult => {
  const stdout = { text: 'text', truncated: false, originalLength: 4, lines: 1, digest, redacted: 0 };
  const stderr = { ...stdout, text: '', originalLength: 0, lines: 0, digest: 'none' };
  const shorten = () => ({ stdout, stderr });
  return {
    stdout,
    stderr,
    shorten,
    durationMs,
    exitCode: 0,
    ended: 'exit',
    survivors: [],
    outputHeld: false,
  };
};

test.each([1, 40, 1_000, 10_000, 100_000])(
  'limits the output that is kept of %i containers',
  (containers) => {
    for (const limit of [1_000, 25_000, 10_000_000]) {
      const kept = captureLimit(limit, containers);
      expect(kept).toBeGreaterThanOrEqual(Math.floor(limit / containers));
      expect(kept * containers).toBeLessThanOrEqual(Math.max(25_000_000, limit));
    }
  },
);

test('equal outputs are kept once, with the other fields of each result', () => {
  const outputs = new DistinctOutputs();
  const [first, second, other] = [result('a', 1), result('a', 2), result('b', 3)];
  expect(outputs.shared(first)).toEqual(first);
  const shared = outputs.shared(second);
  expect(shared).toMatchObject({ durationMs: 2, stdout: { digest: 'a' } });
  expect(shared.stdout).toBe(first.stdout);
  expect(shared.shorten).toBe(first.shorten);
  expect(outputs.shared(other).stdout).toBe(other.stdout);
});
