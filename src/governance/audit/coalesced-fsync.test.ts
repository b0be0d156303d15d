import { expect, test } from 'vitest';
import { CoalescedFsync } from './coalesced-fsync.ts';

function disk() {
  const begun: ((error?: Error) => void)[] = [];
  const behind = new CoalescedFsync(
    () => new Promise((resolve, reject) => begun.push((error) => (error ? reject(error) : resolve()))),
  );
  return { begun, behind };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('serves all requests during a sync with one following sync', async () => {
  const { begun, behind } = disk();
  const done: string[] = [];
  const ask = (name: string) => void behind.request().then(() => done.push(name));
  ask('first');
  await turn();
  ask('second');
  ask('third');
  await turn();
  expect(begun).toHaveLength(1);
  begun[0]?.();
  await turn();
  expect(done).toEqual(['first']);
  expect(begun).toHaveLength(2);
  begun[1]?.();
  await turn();
  expect(done).toEqual(['first', 'second', 'third']);
});

test('rejects only the requests of a failed sync, and runs the next one', async () => {
  const { begun, behind } = disk();
  const first = behind.request();
  await turn();
  const second = behind.request();
  begun[0]?.(new Error('EIO'));
  await expect(first).rejects.toThrow('EIO');
  await turn();
  begun[1]?.();
  await expect(second).resolves.toBeUndefined();
});
