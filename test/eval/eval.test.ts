import { expect, test } from 'vitest';
import { describeRig } from '../rig/require.ts';
import { readLimits, regressions } from './limits.ts';
import { measureJobs } from './measure.ts';
import { onRig } from './on-rig.ts';
import { onSimulator } from './on-simulator.ts';

test('simulator: completes each task within the recorded calls, characters and tokens', async () => {
  expect(regressions(await onSimulator(measureJobs), await readLimits('simulator'))).toEqual([]);
});

describeRig('the tasks of an administrator', (rig) => {
  test('rig: completes each task within the recorded calls, characters and tokens', async () => {
    expect(regressions(await onRig(rig, measureJobs), await readLimits('rig'))).toEqual([]);
  });
});

test('reports a task that is incomplete or needs more', () => {
  const cost = { calls: 1, characters: 100, tokens: 30 };
  const done = { job: 'a', missing: [], text: 'the result' };
  const limits = { a: cost };
  expect(regressions([{ ...done, ...cost }], limits)).toEqual([]);
  expect(regressions([{ ...done, ...cost, calls: 2, tokens: 31 }], limits)).toEqual([
    'a: 2 calls, at most 1',
    'a: 31 tokens, at most 30',
  ]);
  expect(regressions([{ ...done, ...cost, missing: ['/x/'] }], limits)).toEqual([
    'a: not done, /x/ is missing in:\nthe result',
  ]);
  expect(regressions([{ ...done, ...cost, job: 'b' }], limits)).toHaveLength(1);
});
