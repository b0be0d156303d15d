import { describe, expect, test } from 'vitest';
import { batchesOf, runPerNode } from './batches.ts';

describe('batches', () => {
  test.each([
    [{ canary: false }, [[1, 2, 3, 4, 5]]],
    [{ canary: false, size: 2 }, [[1, 2], [3, 4], [5]]],
    [{ canary: true }, [[1], [2, 3, 4, 5]]],
    [{ canary: true, size: 3 }, [[1], [2, 3, 4], [5]]],
  ])('split five containers with %j', (options, batches) => {
    expect(batchesOf([1, 2, 3, 4, 5], options)).toEqual(batches);
  });

  test('omit the canary for one container, and are empty for none', () => {
    expect(batchesOf([1], { canary: true })).toEqual([[1]]);
    expect(batchesOf([], { canary: true, size: 2 })).toEqual([]);
  });
});

describe('work on each node', () => {
  const items = [...Array(20).keys()].map((id) => ({ id, node: id < 12 ? 'a' : 'b' }));

  test('runs at most eight at a time on each, and keeps the order of results', async () => {
    const running = { a: 0, b: 0 };
    const most = { a: 0, b: 0 };
    const results = await runPerNode(items, async ({ id, node }) => {
      const name = node === 'a' ? 'a' : 'b';
      running[name] += 1;
      most[name] = Math.max(most[name], running[name]);
      await new Promise((resolve) => setTimeout(resolve, id % 3));
      running[name] -= 1;
      return id;
    });
    expect(results).toEqual(items.map(({ id }) => id));
    expect(most).toEqual({ a: 8, b: 8 });
  });

  test('begins no item after a stop, and returns the results of those that had begun', async () => {
    let begun = 0;
    const results = await runPerNode(
      items,
      async ({ id }) => {
        begun += 1;
        await Promise.resolve();
        return id;
      },
      () => begun >= 10,
    );
    expect(results).toHaveLength(begun);
    expect(begun).toBe(10);
  });

  test('fails with the first error after all started work has ended', async () => {
    const ended: number[] = [];
    const work = runPerNode(items.slice(0, 3), async ({ id }) => {
      if (id === 0) throw new Error('bug');
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended.push(id);
    });
    await expect(work).rejects.toThrow('bug');
    expect(ended).toEqual([1, 2]);
  });
});
