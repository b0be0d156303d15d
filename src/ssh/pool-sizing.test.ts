import { expect, test } from 'vitest';
import { connectionsWanted, type Load } from './pool-sizing.ts';

const load = (change: Partial<Load>): number =>
  connectionsWanted({
    usable: 1,
    connecting: 0,
    maxConnections: 16,
    perConnection: 9,
    waiting: 55,
    overdue: 55,
    served: 0,
    tickMs: 100,
    connectMs: 255,
    ...change,
  });

test.each<[string, Partial<Load>, number]>([
  ['nobody waits', { waiting: 0, overdue: 0 }, 0],
  ['first use: one connection alone, however many wait', { usable: 0 }, 1],
  ['first use, under way', { usable: 0, connecting: 1 }, 0],
  ['long commands: enough for those who wait, four at a time', {}, 4],
  ['some are under way already', { connecting: 3 }, 1],
  ['ten wait: two connections', { waiting: 10, overdue: 10 }, 2],
  ['ten wait and two connections are under way', { waiting: 10, overdue: 10, connecting: 2 }, 0],
  ['nobody has waited a whole tick yet', { overdue: 0 }, 0],
  ['short commands drain sooner than a connection is up', { served: 20 }, 0],
  ['commands drain, but too slowly', { served: 3 }, 4],
  ['the limit of connections', { usable: 15 }, 1],
  ['the limit is reached', { usable: 16 }, 0],
])('%s', (_name, change, expected) => {
  expect(load(change)).toBe(expected);
});
