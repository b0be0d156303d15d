import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { failureOf, uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { ERAS } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectOverHttp, type HttpClient } from './client.ts';
import { HttpServer, TOKEN } from './server.ts';

describeNode('all tools over HTTP', [], (node) => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await HttpServer.start({
      env: { ...node.settings(), ENABLE_HOST_EXEC: 'true', TRANSFER_DIRS: '.' },
    });
  });
  afterAll(() => server.stop());

  describe.each(ERAS)('%s', (era) => {
    let client: HttpClient;
    beforeAll(async () => {
      client = await connectOverHttp({ url: server.url, token: TOKEN, era });
    });
    afterAll(() => client.close());
    const call = (tool: string, args: Record<string, unknown>) => client.callTool(`proxmox_${tool}`, args);

    test('lists containers and reads their status', async () => {
      expect(await client.listTools()).toHaveLength(TOOLS.length);
      const list = await call('list_containers', {});
      expect(list.data.containers).toMatchObject([
        { vmid: CT.debian, status: 'running' },
        { vmid: CT.busybox },
        { vmid: CT.stopped, status: 'stopped' },
        { vmid: CT.locked },
        { vmid: CT.elsewhere },
      ]);
      const status = await call('container_status', { vmid: CT.locked });
      expect(status.data).toMatchObject({ vmid: CT.locked, lock: 'backup' });
    });

    test('runs commands in a container and on the node, and reports a failure', async () => {
      const inside = await call('container_exec_command', { vmid: CT.debian, command: 'echo hi; exit 3' });
      expect(inside).toMatchObject({ isError: false, data: { stdout: 'hi\n', exit_code: 3 } });
      const outside = await call('host_exec_command', { command: 'echo there; exit 2' });
      expect(outside.data).toMatchObject({ stdout: 'there\n', exit_code: 2 });
      const stopped = await call('container_exec_command', { vmid: CT.stopped, command: 'true' });
      expect(failureOf(stopped).code).toBe('CONTAINER_NOT_RUNNING');
    });

    test('starts and stops', async () => {
      expect((await call('start_container', { vmid: CT.stopped })).data).toMatchObject({ success: true });
      expect(node.isRunning(CT.stopped)).toBe(true);
      expect((await call('stop_container', { vmid: CT.stopped, force: true })).data).toMatchObject({
        success: true,
      });
      expect(node.isRunning(CT.stopped)).toBe(false);
    });

    test('transfers files in both directions, in a container and on the node', async () => {
      const content = `from ${era}\n`;
      const remote = `/tmp/http-${era}`;
      await writeFile(path.join(server.dir, 'up'), content);
      const up = await call('upload_file_to_container', {
        vmid: CT.busybox,
        local_path: 'up',
        container_path: remote,
        overwrite: true,
      });
      expect(up.data).toMatchObject({ success: true, bytes_transferred: content.length });
      const down = { container_path: remote, local_path: `down-${era}` };
      const back = await call('download_file_from_container', { vmid: CT.busybox, ...down });
      expect(back.data).toMatchObject({ success: true, sha256: up.data.sha256 });
      expect(await readFile(path.join(server.dir, `down-${era}`), 'utf8')).toBe(content);
      const host = { host_path: remote, overwrite: true };
      const hostUp = await call('upload_file_to_host', { ...host, local_path: 'up' });
      expect(hostUp.data).toMatchObject({ success: true, host_path: remote });
      const hostDown = await call('download_file_from_host', { ...host, local_path: `host-${era}` });
      expect(hostDown.data).toMatchObject({ success: true, sha256: up.data.sha256 });
    });

    test('reports progress of calls longer than a second', async () => {
      const notes: number[] = [];
      await client.callTool(
        'proxmox_container_exec_command',
        { vmid: CT.debian, command: 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done' },
        { onProgress: ({ progress }) => notes.push(progress) },
      );
      expect(notes.length).toBeGreaterThanOrEqual(1);
      expect([...notes].sort((a, b) => a - b)).toEqual(notes);
    });

    test('leaves no process after a cancelled call', async () => {
      const n = uniqueSleep();
      const controller = new AbortController();
      const cancelled = client
        .callTool(
          'proxmox_container_exec_command',
          { vmid: CT.debian, command: `trap '' TERM; (setsid sleep ${n} &); sleep ${n}`, timeout: 120 },
          { signal: controller.signal },
        )
        .then(
          () => 'answered',
          () => 'rejected',
        );
      const left = () => node.containerProcesses(CT.debian, `sleep ${n}`);
      await until(async () => (await left()).length >= 2);
      controller.abort();
      expect(await cancelled).toBe('rejected');
      await until(async () => (await left()).length === 0);
      // The next call is answered.
      expect(
        (await call('container_exec_command', { vmid: CT.debian, command: 'echo on' })).data.stdout,
      ).toBe('on\n');
    });
  });

  test('refuses transfers without TRANSFER_DIRS, whatever the working directory', async () => {
    const bare = await HttpServer.start({ env: node.settings() });
    const client = await connectOverHttp({ url: bare.url, token: TOKEN });
    try {
      const remote = { vmid: CT.busybox, container_path: '/etc/hostname' };
      for (const local of ['x', path.join(bare.dir, 'x')]) {
        const result = await client.callTool('proxmox_download_file_from_container', {
          ...remote,
          local_path: local,
        });
        expect(failureOf(result)).toMatchObject({
          code: 'TRANSFER_DIRS_UNSET',
          suggestion: expect.stringContaining('TRANSFER_DIRS'),
        });
      }
    } finally {
      await client.close();
      await bare.stop();
    }
  });
});
