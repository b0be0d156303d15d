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
  ['without waiting opens', { waiting: 0, overdue: 0 }, 0],
  ['for the first use, however many wait', { usable: 0 }, 1],
  ['while the first connection opens', { usable: 0, connecting: 1 }, 0],
  ['for long commands: four at a time', {}, 4],
  ['while others are being opened', { connecting: 3 }, 1],
  ['for ten waiting opens', { waiting: 10, overdue: 10 }, 2],
  ['for ten waiting opens while two connections open', { waiting: 10, overdue: 10, connecting: 2 }, 0],
  ['before an open has waited for a whole tick', { overdue: 0 }, 0],
  ['for short commands, which free sessions sooner than a connection opens', { served: 20 }, 0],
  ['for commands that free sessions too slowly', { served: 3 }, 4],
  ['close to the limit of connections', { usable: 15 }, 1],
  ['at the limit of connections', { usable: 16 }, 0],
])('sizes the pool %s', (_name, change, expected) => {
  expect(load(change)).toBe(expected);
});
