import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectToRig } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/containers.ts';
import type { Progress, TestClient } from './client.ts';

const node = new SimulatedNode();
let client: TestClient;
beforeAll(async () => {
  await node.start();
  client = await connectToRig(node);
});
afterAll(async () => {
  await client.close();
  await node.stop();
});

test('a client that has given up on a wait of a minute, in spite of progress, gets an answer to the next one', async () => {
  const command = { vmid: CT.debian, command: 'sleep 300', background: true };
  const { job } = (await client.callTool('proxmox_container_exec_command', command)).data;
  const wait = (ms: number) => {
    const progress: Progress[] = [];
    const options = {
      signal: AbortSignal.timeout(ms),
      onProgress: (note: Progress) => void progress.push(note),
    };
    return client.callTool('proxmox_get_job', { job, wait: 300 }, options);
  };
  await expect(wait(56_000)).rejects.toThrow();
  expect((await wait(56_000)).data).toMatchObject({
    state: 'running',
    note: expect.stringContaining('at most 45 s'),
  });
  await client.callTool('proxmox_cancel_job', { job });
}, 180_000);
