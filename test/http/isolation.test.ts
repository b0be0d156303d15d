import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeNode } from '../e2e/nodes.ts';
import { ERAS, type Progress } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { connectOverHttp, type HttpClient } from './client.ts';
import { HttpServer, TOKEN } from './server.ts';

const CALLS = 6;

describeNode('many clients of one server', [], (node) => {
  let server: HttpServer;
  const clients: HttpClient[] = [];
  beforeAll(async () => {
    server = await HttpServer.start({ env: node.settings() });
    for (const era of [...ERAS, ...ERAS]) {
      clients.push(await connectOverHttp({ url: server.url, token: TOKEN, era }));
    }
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await server.stop();
  });

  test('receive only their own results and progress', async () => {
    await Promise.all(
      clients.flatMap((client, who) =>
        Array.from({ length: CALLS }, async (_, which) => {
          const notes: Progress[] = [];
          // Different durations, so that answers come in another order than the calls.
          const command = `sleep ${which === 0 ? 1.3 : 0.05 * which}; echo answer ${who} ${which}`;
          const result = await client.callTool(
            'proxmox_container_exec_command',
            { vmid: CT.debian, command },
            { onProgress: (note) => notes.push(note) },
          );
          expect(result.data.stdout).toBe(`answer ${who} ${which}\n`);
          const seconds = notes.map(({ message }) => Number(/running for (\d+) s/.exec(message ?? '')?.[1]));
          // Progress of another call would begin again at the first second.
          expect(seconds).toEqual([...new Set(seconds)].sort((a, b) => a - b));
        }),
      ),
    );
  });
});
