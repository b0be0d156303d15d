import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { execResult, uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { ERAS } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectOverHttp } from './client.ts';
import { HttpServer, TOKEN } from './server.ts';

/** The server's own limit: hosts kill a server 5 s after they asked it to end, so it must have ended before. */
const LIMIT_MS = 4_500;
const HOSTS_KILL_MS = 5_000;

describeNode('shutdown over HTTP', [], (node) => {
  describe.each(ERAS)('%s', (era) => {
    test('SIGTERM lets a call finish within 2 s, cancels the rest, and exits with 0', async () => {
      const n = uniqueSleep();
      const mayEnd = `/tmp/may-end-${n}`;
      const server = await HttpServer.start({ env: node.settings() });
      onTestFinished(() => void server.child.kill('SIGKILL'));
      const client = await connectOverHttp({ url: server.url, token: TOKEN, era });
      const exec = (command: string) =>
        client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command, timeout: 120 });
      // Not for a time, because on a busy machine it would end before the other one begins.
      const short = exec(`until [ -e ${mayEnd} ]; do sleep 0.1; done; echo done ${n}`);
      const long = exec(`trap '' TERM; (setsid sleep ${n} &); sleep ${n}`);
      const left = () => node.containerProcesses(CT.debian, `sleep ${n}`);
      await until(async () => (await left()).length >= 2);
      await until(async () => (await node.containerProcesses(CT.debian, `done ${n}`)).length > 0);

      // The simulated node runs in this process, which then sees the exit late.
      const lag = monitorEventLoopDelay({ resolution: 10 });
      lag.enable();
      const began = performance.now();
      const stopped = server.stop();
      await until(async () => (await fetch(server.at('/health')).catch(() => undefined)) === undefined);
      await node.writeInContainer(CT.debian, mayEnd, '');
      expect(execResult(await short)).toMatchObject({ stdout: `done ${n}\n`, exit_code: 0 });
      // Its client is told what happened to the call.
      const { ended, survivors, isError } = execResult(await long);
      expect({ ended, isError }).toEqual({ ended: 'cancelled', isError: true });
      expect(await stopped).toBe(0);
      const took = performance.now() - began;
      expect(took).toBeLessThan(HOSTS_KILL_MS + lag.max / 1e6);
      // If the node is so busy that the server reaches its limit first, the kill script on the node continues alone.
      if (took > LIMIT_MS - 400) await until(async () => (await left()).length === 0);
      else expect(survivors).toEqual([]);
      expect(await left()).toEqual([]);
      await client.close().catch(() => {});
    });
  });
});
