import { describe, expect, test } from 'vitest';
import { execResult, uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { ERAS } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectOverHttp } from './client.ts';
import { HttpServer, TOKEN } from './server.ts';

/** The documented limit: init systems and Docker kill a process that has not ended by then. */
const LIMIT_MS = 4500;

describeNode('shutdown over HTTP', [], (node) => {
  describe.each(ERAS)('%s', (era) => {
    test('SIGTERM lets a call finish within 2 s, cancels the rest, and exits with 0', async () => {
      const n = uniqueSleep();
      const server = await HttpServer.start({ env: node.settings() });
      const client = await connectOverHttp({ url: server.url, token: TOKEN, era });
      const exec = (command: string) =>
        client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command, timeout: 120 });
      const short = exec(`sleep 1; echo done ${n}`);
      const long = exec(`trap '' TERM; (setsid sleep ${n} &); sleep ${n}`);
      const left = () => node.containerProcesses(CT.debian, `sleep ${n}`);
      await until(async () => (await left()).length >= 2);
      await until(async () => (await node.containerProcesses(CT.debian, `done ${n}`)).length > 0);

      const began = performance.now();
      const stopped = server.stop();
      await until(async () => (await fetch(server.at('/health')).catch(() => undefined)) === undefined);
      expect(execResult(await short)).toMatchObject({ stdout: `done ${n}\n`, exit_code: 0 });
      // Its client is told what happened to the call.
      expect(execResult(await long)).toMatchObject({ ended: 'cancelled', survivors: [], isError: true });
      expect(await stopped).toBe(0);
      expect(performance.now() - began).toBeLessThan(LIMIT_MS + 300);
      expect(await left()).toEqual([]);
      await client.close().catch(() => {});
    });
  });
});
