import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { collectGarbageSoon, collectRecentGarbage } from './collect-garbage.ts';

test('buffers that are garbage do not accumulate', () => {
  collectRecentGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  for (let mebibytes = 1; mebibytes <= 128; mebibytes++) {
    for (let i = 0; i < 16; i++) Buffer.allocUnsafeSlow(65_536);
    if (mebibytes % 2 === 0) collectRecentGarbage();
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  }
  expect(peak).toBeLessThan(16 * 1024 * 1024);
});

test('garbage that has survived collections is collected soon', async () => {
  const old = new WeakRef(oldGarbage());
  collectGarbageSoon();
  await setImmediate();
  await setImmediate();
  expect(old.deref()).toBeUndefined();
});

function oldGarbage(): object {
  const garbage = { old: true };
  for (let i = 0; i < 4; i++) collectRecentGarbage();
  return garbage;
}
