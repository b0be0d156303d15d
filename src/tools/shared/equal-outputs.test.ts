import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExecResult } from '../../proxmox/proxmox-types.ts';
import { fairShares, groupOutputs } from './equal-outputs.ts';

describe('fair shares', () => {
  test.each([
    [[10, 10], 100, [10, 10]],
    [[10, 1000], 100, [10, 90]],
    [[1000, 10, 1000], 100, [45, 10, 45]],
    [[], 100, []],
  ])('divide %j characters within %i into %j', (lengths, limit, shares) => {
    expect(fairShares(lengths, limit)).toEqual(shares);
  });

  test('use the limit, never exceed it, and never give more to a shorter output', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { maxLength: 50 }), fc.nat(20_000), (lengths, limit) => {
        const shares = fairShares(lengths, limit);
        const total = shares.reduce((sum, share) => sum + share, 0);
        const wanted = lengths.reduce((sum, length) => sum + length, 0);
        expect(total).toBeLessThanOrEqual(limit);
        expect(total).toBeGreaterThanOrEqual(Math.min(wanted, limit) - lengths.length);
        const smallestCut = Math.min(...shares.filter((share, index) => share < (lengths[index] ?? 0)));
        for (const share of shares) expect(share).toBeLessThanOrEqual(smallestCut + lengths.length);
      }),
    );
  });
});

const stream = (text: string) => ({
  text,
  truncated: false,
  originalLength: text.length,
  lines: 1,
  digest: null,
  redacted: 0,
});
const result = (stdout: string, changes: Partial<ExecResult> = {}): ExecResult => ({
  stdout: stream(stdout),
  stderr: stream(''),
  exitCode: 0,
  ended: 'exit',
  durationMs: 1,
  survivors: [],
  outputHeld: false,
  shorten: (limit) => ({ stdout: stream(stdout.slice(0, limit)), stderr: stream('') }),
  ...changes,
});
const groupsOf = (...results: ExecResult[]) =>
  groupOutputs(
    results.map((each, index) => ({ vmid: 101 + index, of: 'command', result: each })),
    100,
  ).map(({ vmids }) => vmids);

describe('equal outputs', () => {
  test('form one group, the largest group first', () => {
    expect(groupsOf(result('a'), result('b'), result('b'))).toEqual([[102, 103], [101]]);
  });

  test.each([
    ['exit code', { exitCode: 1 }],
    ['end', { ended: 'timeout', exitCode: null }],
    ['stderr', { stderr: stream('e') }],
    ['original of an escape', { stdout: { ...stream('same'), originalLength: 1 } }],
  ] as const)('are separated by %s', (_what, changes) => {
    expect(groupsOf(result('same'), result('same', changes))).toEqual([[101], [102]]);
  });

  test.each([
    ['truncated', true],
    ['not UTF-8, or redacted', false],
  ])('are compared by digest when %s', (_what, truncated) => {
    const of = (digest: string) => result('x', { stdout: { ...stream('x'), truncated, digest } });
    expect(groupsOf(of('a'), of('b'), of('a'))).toEqual([[101, 103], [102]]);
  });
});

test('outputs over the limit that are similar to the first one are replaced by their difference', () => {
  const lines = (change: string) =>
    Array.from({ length: 40 }, (_, index) => (index === 20 ? change : `option ${index}`)).join('\n');
  const runs = ['a', 'b'].map((change, index) => {
    return { vmid: 101 + index, of: 'command' as const, result: result(lines(change)) };
  });
  const length = lines('a').length;
  expect(groupOutputs(runs, 2 * length).map(({ difference }) => difference)).toEqual([undefined, undefined]);
  const [first, second] = groupOutputs(runs, 2 * length - 1);
  expect(first?.stdout.text).toBe(lines('a'));
  expect(second?.difference).toEqual({
    from: 101,
    streams: [{ stream: 'stdout', diff: '@@ -20,3 +20,3 @@\n option 19\n-a\n+b\n option 21' }],
  });
  // Not even the differences fit.
  const [shown, hidden] = groupOutputs(runs, 20);
  expect(shown?.stdout.text).toBe(lines('a').slice(0, 20));
  expect(hidden).toMatchObject({ stdout: { text: '' } });
  expect(hidden?.difference).toBeUndefined();
});

test('of too many outputs for the limit, the first are shown, those of failed commands before others', () => {
  const outputs = Array.from({ length: 100 }, (_, index) => {
    return result(String(index).padStart(3, '0').repeat(50), { exitCode: index === 90 ? 1 : 0 });
  });
  const groups = groupOutputs(
    outputs.map((each, index) => ({ vmid: index, of: 'command', result: each })),
    1_000,
  );
  const shown = groups.filter(({ stdout }) => stdout.text !== '');
  expect(shown.map(({ vmids }) => vmids[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 90]);
  expect(shown.map(({ stdout }) => stdout.text.length)).toEqual(shown.map(() => 100));
});
