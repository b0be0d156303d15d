import { afterAll, beforeAll, expect, test } from 'vitest';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { callMany, connectMany, memoryOf, RAISED } from './load.ts';
import { HttpServer } from './server.ts';

const node = new SimulatedNode();
beforeAll(() => node.start());
afterAll(() => node.stop());

const VMIDS = [CT.debian, CT.busybox, CT.locked];

test('200 clients with 10 commands each get their own results, in constant memory', async () => {
  const server = await HttpServer.start({
    // A small heap, so that memory that is not yet collected does not look like a leak.
    env: { ...node.settings(), ...RAISED, LOG_LEVEL: 'warn', NODE_OPTIONS: '--max-old-space-size=96' },
  });
  try {
    const clients = await connectMany(server.url, 200);
    // Whatever is created once for each client and connection exists after the first calls.
    expect(await callMany(clients, { callsEach: 3, vmids: VMIDS })).toEqual([]);
    const before = memoryOf(server);
    expect(await callMany(clients, { callsEach: 10, vmids: VMIDS })).toEqual([]);
    // A leak of 8 KiB per call would be visible.
    expect(memoryOf(server) - before).toBeLessThan(16);
    await Promise.all(clients.map((client) => client.close()));
  } finally {
    expect(await server.stop()).toBe(0);
  }
}, 600_000);
