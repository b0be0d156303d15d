import { groupBy } from '../../lib/group-by.ts';

/** Commands that run on one node at the same time. */
const PER_NODE = 8;

/** The batches of a call: all at once, in groups of `size`, and the first one alone if it is the canary. */
export function batchesOf<T>(
  items: readonly T[],
  { canary, size = items.length }: { readonly canary: boolean; readonly size?: number | undefined },
): T[][] {
  const batches = canary && items.length > 1 ? [items.slice(0, 1)] : [];
  for (let at = batches.length; at < items.length; at += size) batches.push(items.slice(at, at + size));
  return batches;
}

/**
 * Does work for each item, at most eight at a time on each node.
 * @param stopped called before each item; if true, no further item begins
 * @returns the results in the order of the items, without those that did not begin
 * @throws the first error of `work`, after all work that had begun has ended
 */
export async function runPerNode<T extends { readonly node: string | null }, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  stopped: () => boolean = () => false,
): Promise<R[]> {
  const results = new Map<T, R>();
  const queues = [...groupBy(items, ({ node }) => node).values()].flatMap((ofNode) => {
    const waiting = ofNode.values();
    return Array.from({ length: Math.min(PER_NODE, ofNode.length) }, () => waiting);
  });
  const ends = await Promise.allSettled(
    queues.map(async (waiting) => {
      // All workers of a node take from the same iterator. `stopped` is called first, because an item that was taken is not run
      // by another worker.
      while (!stopped()) {
        const { value: item } = waiting.next();
        if (item === undefined) return;
        results.set(item, await work(item));
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return items.flatMap((item) => {
    const result = results.get(item);
    return result === undefined ? [] : [result];
  });
}
