import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERAS, type TestClient } from '../mcp/client.ts';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { connectToRig, failureOf } from './connect.ts';

describeRig('all tools through every official client', (rig) => {
  describe.each(ERAS)('%s', (era) => {
    let client: TestClient;
    let dir: string;
    beforeAll(async () => {
      dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-eras-'));
      client = await connectToRig(rig, { era, env: { TRANSFER_DIRS: dir, ENABLE_HOST_EXEC: 'true' } });
    });
    afterAll(async () => {
      await client.close();
      await rm(dir, { recursive: true, force: true });
    });
    const call = (tool: string, args: Record<string, unknown>) => client.callTool(`proxmox_${tool}`, args);

    test('lists containers, with the bare array as JSON text', async () => {
      const result = await call('list_containers', {});
      expect(JSON.parse(result.text)).toEqual(result.data.containers);
      expect(result.data.containers).toMatchObject([
        { vmid: CT.debian, status: 'running', name: 'debian', node: 'pve1' },
        { vmid: CT.busybox, status: 'running' },
        { vmid: CT.stopped, status: 'stopped' },
        { vmid: CT.locked, status: 'running', lock: 'backup' },
        { vmid: CT.elsewhere, status: 'unknown', node: 'pve2' },
      ]);
    });

    test('reads the status', async () => {
      expect((await call('container_status', { vmid: String(CT.locked) })).data).toMatchObject({
        status: 'running',
        vmid: CT.locked,
        lock: 'backup',
      });
    });

    test('runs a command in a container, and reports its failure', async () => {
      const result = await call('container_exec_command', { vmid: CT.debian, command: 'echo hi; exit 3' });
      expect(result).toMatchObject({ isError: false, data: { stdout: 'hi\n', exit_code: 3 } });
      const slow = await call('container_exec_command', { vmid: CT.debian, command: 'sleep 30', timeout: 1 });
      expect(slow).toMatchObject({ isError: true, data: { ended: 'timeout', code: 'TIMEOUT' } });
      const stopped = await call('container_exec_command', { vmid: CT.stopped, command: 'true' });
      expect(failureOf(stopped).code).toBe('CONTAINER_NOT_RUNNING');
    });

    test('starts and stops', async () => {
      const started = await call('start_container', { vmid: CT.stopped });
      expect(started.data).toMatchObject({ success: true, vmid: CT.stopped, message: expect.any(String) });
      expect(rig.isRunning(CT.stopped)).toBe(true);
      const stopped = await call('stop_container', { vmid: CT.stopped, force: true });
      expect(stopped.data).toMatchObject({ success: true, vmid: CT.stopped, message: expect.any(String) });
      expect(rig.isRunning(CT.stopped)).toBe(false);
    });

    test('transfers files in both directions, in a container and on the host', async () => {
      const content = `from ${era}\n`;
      await writeFile(path.join(dir, 'up'), content);
      const remote = `/tmp/eras-${era}`;
      const up = await call('upload_file_to_container', {
        vmid: CT.busybox,
        local_path: 'up',
        container_path: remote,
      });
      expect(up.data).toMatchObject({ success: true, bytes_transferred: content.length, permissions: '644' });
      const down = await call('download_file_from_container', {
        vmid: CT.busybox,
        container_path: remote,
        local_path: 'down',
      });
      expect(down.data).toMatchObject({ success: true, sha256: up.data.sha256 });
      expect(await readFile(path.join(dir, 'down'), 'utf8')).toBe(content);
      const hostUp = await call('upload_file_to_host', { local_path: 'up', host_path: remote });
      expect(hostUp.data).toMatchObject({ success: true, host_path: remote });
      const hostDown = await call('download_file_from_host', { host_path: remote, local_path: 'host' });
      expect(hostDown.data).toMatchObject({ success: true, sha256: up.data.sha256 });
      await Promise.all([rig.inNode(['rm', remote]), rig.inContainer(CT.busybox, ['rm', remote])]);
    });

    test('runs a command on the host', async () => {
      const result = await call('host_exec_command', { command: 'pct list; exit 2' });
      expect(result.data).toMatchObject({ exit_code: 2 });
      expect(result.data.stdout).toContain(String(CT.debian));
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
  });
});
