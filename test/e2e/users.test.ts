import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { TestClient } from '../mcp/client.ts';
import { CT, type Rig } from '../rig/rig.ts';
import { connectToRig, execResult, failureOf, uniqueSleep, useClient } from './connect.ts';
import { describeNode, type NodeUnderTest } from './nodes.ts';
import { bytes, sha256 } from './transfers.ts';

type Server = ReturnType<typeof useClient>;

/** What must work as root, however the login becomes root. */
function everythingWorks(rig: NodeUnderTest, server: Server): void {
  test.each([CT.debian, CT.busybox])('runs commands in %i: output, exit code, signal', async (vmid) => {
    const result = await server.exec(vmid, 'echo out; echo err >&2; exit 7');
    expect(result).toMatchObject({ exit_code: 7, stdout: 'out\n', stderr: 'err\n', ended: 'exit' });
    expect((await server.exec(vmid, 'kill -9 $$')).exit_code).toBe(137);
    expect((await server.exec(vmid, 'no-such-command')).exit_code).toBe(127);
    expect((await server.exec(vmid, 'id -u; echo $HOME; echo $PATH')).stdout).toMatch(
      /^0\n\/root\n\/usr\/local\//,
    );
    expect((await server.exec(vmid, 'env | grep -E "^(SUDO|SSH)_"')).stdout).toBe('');
  });

  test('kills all processes on timeout, with bash and busybox', async () => {
    const seconds = uniqueSleep();
    const command = `trap "" TERM; setsid sleep ${seconds} & env -i sleep ${seconds} & sleep ${seconds}`;
    const both = [CT.debian, CT.busybox];
    const results = await Promise.all(both.map((vmid) => server.exec(vmid, command, { timeout: 1 })));
    for (const result of results) {
      expect(result).toMatchObject({ ended: 'timeout', exit_code: null, survivors: [] });
    }
    for (const vmid of both) expect(await rig.containerProcesses(vmid, seconds)).toEqual([]);
  });

  test('lists containers and reads their status', async () => {
    const listed = await server.call('list_containers', {});
    expect(listed.data.containers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          vmid: CT.debian,
          status: 'running',
          name: 'debian',
          node: 'pve1',
        }),
        expect.objectContaining({ vmid: CT.stopped, status: 'stopped', name: 'stopped' }),
        expect.objectContaining({ vmid: CT.locked, status: 'running', name: 'locked', lock: 'backup' }),
      ]),
    );
    expect((await server.call('container_status', { vmid: CT.locked })).data).toMatchObject({
      status: 'running',
      lock: 'backup',
    });
    expect(failureOf(await server.call('container_status', { vmid: CT.unknown })).code).toBe(
      'CONTAINER_NOT_FOUND',
    );
  });

  test('reports a stopped, an unknown and a locked container', async () => {
    const code = async (vmid: number) =>
      failureOf(await server.call('container_exec_command', { vmid, command: 'true' })).code;
    expect(await code(CT.stopped)).toBe('CONTAINER_NOT_RUNNING');
    expect(await code(CT.unknown)).toBe('CONTAINER_NOT_FOUND');
    expect(failureOf(await server.call('stop_container', { vmid: CT.locked })).code).toBe('CONTAINER_LOCKED');
  });

  test('starts, stops, and kills a guest that ignores the shutdown request', async () => {
    const vmid = CT.stopped;
    expect((await server.call('start_container', { vmid })).data).toMatchObject({
      success: true,
      changed: true,
    });
    expect(rig.isRunning(vmid)).toBe(true);
    expect((await server.call('stop_container', { vmid })).data).toMatchObject({
      success: true,
      how: 'shutdown',
    });
    expect(rig.isRunning(vmid)).toBe(false);
    await server.call('start_container', { vmid });
    const undo = await rig.ignoreShutdown(vmid);
    try {
      const stopped = await server.call('stop_container', { vmid, timeout: 1 });
      expect(stopped.data).toMatchObject({ success: true, how: 'killed' });
    } finally {
      await undo();
    }
    expect(rig.isRunning(vmid)).toBe(false);
  });

  test('transfers files in both directions', async () => {
    const content = bytes(3_000_001);
    await writeFile(path.join(server.dir, 'a'), content);
    const container_path = '/tmp/e2e users $(x)';
    const args = { vmid: CT.debian, container_path };
    const up = await server.call('upload_file_to_container', { ...args, local_path: 'a', owner: '12' });
    try {
      expect(up.data, up.text).toMatchObject({ success: true, sha256: sha256(content), permissions: '644' });
      expect((await rig.readInContainer(CT.debian, container_path)).equals(content)).toBe(true);
      const down = await server.call('download_file_from_container', { ...args, local_path: 'b' });
      expect(down.data, down.text).toMatchObject({ success: true, sha256: sha256(content) });
      expect((await readFile(path.join(server.dir, 'b'))).equals(content)).toBe(true);
    } finally {
      await rig.inContainer(CT.debian, ['rm', '-f', container_path]);
    }
  });
}

describeNode('root, with EXEC_METHOD=pct, which has no effect', [], (rig) => {
  everythingWorks(rig, useClient(rig, { EXEC_METHOD: 'pct' }));
});

describeNode('an administrator, with sudo detected', [], (rig) => {
  const server = useClient(rig, { SSH_USERNAME: 'admin', ENABLE_HOST_EXEC: 'true' });
  everythingWorks(rig, server);

  test('runs commands on the host as root', async () => {
    const result = await server.call('host_exec_command', { command: 'id -u; echo "$HOME"' });
    expect(execResult(result).stdout).toBe('0\n/root\n');
  });
});

describeNode('an operator whose sudo allows only /bin/sh', [], (rig, { needing }) => {
  const operator = { SSH_USERNAME: 'operator', SUDO: 'true', ENABLE_HOST_EXEC: 'true' };
  const server = useClient(rig, operator);
  everythingWorks(rig, server);

  const rules = '/etc/sudoers.d/rig-operator';
  /** Replaces the sudo rules of the node. Only a new server uses them: open sessions keep their rights. */
  const withRules = async (real: Rig, text: string, work: (client: TestClient) => Promise<void>) => {
    const before = await real.readInNode(rules);
    let client: TestClient | undefined;
    try {
      await real.writeInNode(rules, text);
      client = await connectToRig(rig, { env: operator });
      await work(client);
    } finally {
      await real.writeInNode(rules, before);
      await client?.close();
    }
  };
  const rule = 'operator ALL=(root) NOPASSWD: /bin/sh\n';
  const call = (client: TestClient, tool: string, args: Record<string, unknown>) =>
    client.callTool(`proxmox_${tool}`, args);

  for (const use_pty of [true, false]) {
    needing('real programs', `${use_pty ? 'with' : 'without'} use_pty`, (real) =>
      withRules(real, `Defaults ${use_pty ? '' : '!'}use_pty\n${rule}`, async (client) => {
        const command = 'echo out; echo err >&2; exit 7';
        const result = execResult(await call(client, 'container_exec_command', { vmid: CT.debian, command }));
        expect(result).toMatchObject({ exit_code: 7, stdout: 'out\n', stderr: 'err\n', ended: 'exit' });
        const seconds = uniqueSleep();
        const slow = `trap "" TERM; setsid sleep ${seconds} & env -i sleep ${seconds} & sleep ${seconds}`;
        const args = { vmid: CT.busybox, command: slow, timeout: 1 };
        expect(execResult(await call(client, 'container_exec_command', args))).toMatchObject({
          ended: 'timeout',
          survivors: [],
        });
        expect(await rig.containerProcesses(CT.busybox, seconds)).toEqual([]);
      }),
    );
  }

  needing('real programs', 'ignores warnings of sudo, and excludes them from the output', async (real) => {
    const hosts = await real.readInNode('/etc/hosts');
    await real.writeInNode('/etc/hosts', '127.0.0.1 localhost\n');
    try {
      await withRules(real, rule, async (client) => {
        const result = await call(client, 'container_exec_command', { vmid: CT.debian, command: 'echo hi' });
        expect(execResult(result)).toMatchObject({ stdout: 'hi\n', stderr: '', exit_code: 0 });
        const stopped = await call(client, 'container_exec_command', { vmid: CT.stopped, command: 'true' });
        expect(failureOf(stopped).code).toBe('CONTAINER_NOT_RUNNING');
      });
    } finally {
      await real.writeInNode('/etc/hosts', hosts);
    }
  });

  needing('real programs', 'is refused without /bin/sh, with the missing sudo rule', (real) =>
    withRules(real, 'operator ALL=(root) NOPASSWD: /usr/sbin/pct\n', async (client) => {
      for (const result of [
        await call(client, 'list_containers', {}),
        await call(client, 'container_exec_command', { vmid: CT.debian, command: 'true' }),
        await call(client, 'host_exec_command', { command: 'true' }),
        await call(client, 'stop_container', { vmid: CT.debian }),
      ]) {
        expect(failureOf(result)).toMatchObject({
          code: 'PERMISSION_DENIED',
          suggestion: expect.stringMatching(/\/bin\/sh.*NOPASSWD/),
        });
      }
      expect(rig.isRunning(CT.debian)).toBe(true);
    }),
  );
});

describeNode('an administrator with SUDO=false', [], (rig) => {
  const server = useClient(rig, { SSH_USERNAME: 'admin', SUDO: 'false', ENABLE_HOST_EXEC: 'true' });

  test('is refused everything that needs root, with the next step', async () => {
    await writeFile(path.join(server.dir, 'a'), 'x');
    const vmid = CT.debian;
    for (const result of [
      await server.call('list_containers', {}),
      await server.call('container_status', { vmid }),
      await server.call('container_exec_command', { vmid, command: 'true' }),
      await server.call('start_container', { vmid: CT.stopped }),
      await server.call('stop_container', { vmid }),
      await server.call('stop_container', { vmid, force: true }),
      await server.call('upload_file_to_container', { vmid, local_path: 'a', container_path: '/tmp/e2e-a' }),
      await server.call('download_file_from_container', {
        vmid,
        local_path: 'b',
        container_path: '/etc/hosts',
      }),
    ]) {
      expect(failureOf(result)).toMatchObject({
        code: 'PERMISSION_DENIED',
        suggestion: expect.stringContaining('SUDO=true'),
      });
    }
    expect(rig.isRunning(vmid)).toBe(true);
  });

  test('may run on the host what that user may run', async () => {
    const result = execResult(
      await server.call('host_exec_command', { command: 'id -un; pwd; cat /etc/shadow' }),
    );
    expect(result.stdout).toBe('admin\n/home/admin\n');
    expect(result.stderr).toContain('Permission denied');
    const host_path = '/etc/e2e-not-mine';
    await writeFile(path.join(server.dir, 'a'), 'x');
    expect(failureOf(await server.call('upload_file_to_host', { local_path: 'a', host_path })).code).toBe(
      'PERMISSION_DENIED',
    );
    const args = { local_path: 'b', host_path: '/etc/shadow' };
    expect(failureOf(await server.call('download_file_from_host', args)).code).toBe('PERMISSION_DENIED');
  });
});
