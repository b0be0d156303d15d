import { expect, test } from 'vitest';
import { uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { modern } from './requests.ts';
import { HttpServer } from './server.ts';

describeNode('calls of a disconnected client', [], (node) => {
  test('count for MAX_CONCURRENT until their processes have ended', async () => {
    const server = await HttpServer.start({ env: { ...node.settings(), MAX_CONCURRENT: '1' } });
    try {
      const n = uniqueSleep();
      const left = () => node.containerProcesses(CT.debian, `sleep ${n}`);
      const stubborn = { vmid: CT.debian, command: `trap '' TERM; (setsid sleep ${n} &); sleep ${n}` };
      const controller = new AbortController();
      const call = modern('tools/call', { name: 'proxmox_container_exec_command', arguments: stubborn });
      const gone = fetch(server.url, { ...call, signal: controller.signal }).catch(() => undefined);
      await until(async () => (await left()).length >= 2);
      const reading = modern('resources/read', { uri: 'proxmox://containers' });
      expect((await fetch(server.url, reading)).status).toBe(503);
      controller.abort();
      await gone;
      await until(async () => {
        const list = modern('tools/call', { name: 'proxmox_list_containers', arguments: {} });
        const response = await fetch(server.url, list);
        const taken = response.status === 200;
        if (taken) expect(await left()).toEqual([]);
        await response.text();
        return taken;
      });
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});
