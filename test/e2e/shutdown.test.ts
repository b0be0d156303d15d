import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { serverCommand } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { uniqueSleep } from './connect.ts';
import { describeNode, type NodeUnderTest } from './nodes.ts';

/** The server's own limit: hosts kill a server 5 s after they asked it to end, so it must have ended before. */
const LIMIT_MS = 4_500;
const HOSTS_KILL_MS = 5_000;

describeNode('shutdown of the server', [], (rig) => {
  for (const [how, end] of [
    ['SIGTERM', (server: RawServer) => server.child.kill('SIGTERM')],
    ['SIGINT', (server: RawServer) => server.child.kill('SIGINT')],
    ['the end of stdin', (server: RawServer) => server.child.stdin.end()],
  ] as const) {
    test(`by ${how}: kills running commands within ${HOSTS_KILL_MS} ms, and exits with 0`, async () => {
      const n = uniqueSleep();
      const server = await RawServer.start(rig);
      for (const vmid of [CT.debian, CT.busybox, CT.locked]) {
        server.callExec(vmid, `trap '' TERM; (env -i setsid sleep ${n} &); sleep ${n}; sleep ${n}`);
      }
      const everywhere = async () =>
        (
          await Promise.all(
            [CT.debian, CT.busybox, CT.locked].map((vmid) => rig.containerProcesses(vmid, `sleep ${n}`)),
          )
        ).flat();
      await until(async () => (await everywhere()).length >= 6);

      // The simulated node runs in this process, which then sees the exit late.
      const lag = monitorEventLoopDelay({ resolution: 10 });
      lag.enable();
      const began = performance.now();
      end(server);
      const [code] = await server.exited;
      const took = performance.now() - began;
      expect(took).toBeLessThan(HOSTS_KILL_MS + lag.max / 1e6);
      expect(code).toBe(0);
      // If the node is so busy that the server reaches its limit first, the kill script on the node continues alone.
      if (took > LIMIT_MS - 400) await until(async () => (await everywhere()).length === 0);
      expect(await everywhere()).toEqual([]);
    });
  }

  test('writes nothing but protocol messages to stdout', async () => {
    const server = await RawServer.start(rig);
    server.callExec(CT.debian, 'echo hello');
    await until(() => server.lines.length >= 2);
    server.child.stdin.end();
    await server.exited;
    for (const line of server.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(server.stderr).not.toContain(rig.password());
  });
});

/** A server process with raw messages, so that its end can be observed from outside. */
class RawServer {
  readonly lines: string[] = [];
  stderr = '';
  readonly child;
  readonly exited: Promise<[number | null]>;
  #id = 1;

  private constructor(rig: NodeUnderTest) {
    const { command, args } = serverCommand();
    this.child = spawn(command, args, {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        AUDIT: 'false',
        ...rig.settings(),
        SSH_PASSWORD: rig.password(),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.exited = once(this.child, 'exit').then(([code]) => [z.number().nullable().parse(code)]);
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    createInterface(this.child.stdout).on('line', (line) => this.lines.push(line));
  }

  static async start(rig: NodeUnderTest): Promise<RawServer> {
    const server = new RawServer(rig);
    onTestFinished(() => void server.child.kill('SIGKILL'));
    server.#send('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'by-hand', version: '1' },
    });
    await until(() => server.lines.length > 0);
    server.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    return server;
  }

  callExec(vmid: number, command: string): void {
    this.#send('tools/call', {
      name: 'proxmox_container_exec_command',
      arguments: { vmid, command, timeout: 120 },
    });
  }

  #send(method: string, params: object): void {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: this.#id++, method, params })}\n`);
  }
}
