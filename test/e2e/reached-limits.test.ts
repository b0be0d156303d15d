import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { examine } from '../cli/doctor-report.ts';
import { describeRig } from '../rig/require.ts';
import { CT, type Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, failureOf, rigSettings, useClient } from './connect.ts';

const CGROUPS = '/sys/fs/cgroup';

/** The cgroup of a controller, with version 1 or 2. */
function cgroup(controller: string, name: string): string {
  const own = path.join(CGROUPS, controller);
  return path.join(existsSync(own) ? own : CGROUPS, name);
}

describeRig('a limit that is reached', (rig) => {
  const server = useClient(rig, { ENABLE_HOST_EXEC: 'true', POLICY: 'open' });
  const undos: (() => unknown)[] = [];
  afterEach(async () => {
    for (const undo of undos.splice(0).reverse()) await undo();
  });

  /** Lets a container have so many processes more than it has now. */
  function limitProcesses(vmid: number, more: number): void {
    const dir = cgroup('pids', `lxc/${vmid}`);
    const now = Number(readFileSync(path.join(dir, 'pids.current'), 'utf8'));
    writeFileSync(path.join(dir, 'pids.max'), `${now + more}`);
    undos.push(() => writeFileSync(path.join(dir, 'pids.max'), 'max'));
  }

  /** Lets the processes of sshd, which are all that calls run on the node, be so many more than there are now. */
  async function limitNode(more: number): Promise<void> {
    const dir = cgroup('pids', `proxmox-mcp-test-${rig.info.firstVmid}`);
    await mkdir(dir);
    const move = (to: string, pids: readonly number[]) => {
      for (const pid of pids) writeFileSync(path.join(to, 'cgroup.procs'), String(pid));
    };
    const pids = [rig.sshdPid(), ...rig.sshConnections().map(({ pid }) => pid)];
    move(dir, pids);
    const now = Number(readFileSync(path.join(dir, 'pids.current'), 'utf8'));
    writeFileSync(path.join(dir, 'pids.max'), `${now + more}`);
    undos.push(async () => {
      writeFileSync(path.join(dir, 'pids.max'), 'max');
      const left = () => readFileSync(path.join(dir, 'cgroup.procs'), 'utf8').trim().split('\n');
      await until(() => {
        move(cgroup('pids', ''), left().filter(Boolean).map(Number));
        return left().join('') === '';
      });
      rmdirSync(dir);
    });
  }

  test.each([
    [0, 'ATTACH_FAILED'],
    [2, 'TRANSFER_FAILED'],
  ])('names the processes of a container that may have %i more: %s', async (more, code) => {
    limitProcesses(CT.debian, more);
    const limit = expect.stringMatching(/Container \d+ has \d+ of at most \d+ processes\./);
    const failure = failureOf(
      more === 0
        ? await server.call('container_exec_command', { vmid: CT.debian, command: 'true' })
        : await server.call('read_file', { vmid: CT.debian, path: '/etc/hostname' }),
    );
    expect(failure).toMatchObject({ code, error: limit, suggestion: expect.stringContaining('limit') });
    const { of } = await examine(server.dir, rigSettings(rig), ['--exec', String(CT.debian)]);
    expect(of('exec')).toMatchObject({
      verdict: 'fail',
      detail: expect.stringMatching(/of at most \d+ processes|fork: Resource temporarily unavailable/),
      remedy: expect.stringContaining('processes'),
    });
  });

  test('names the processes of a container whose shell cannot start the command', async () => {
    // busybox, whose shell starts another process for the command.
    limitProcesses(CT.busybox, 2);
    const result = await server.call('container_exec_command', { vmid: CT.busybox, command: 'true; true' });
    if (result.isError) {
      expect(failureOf(result).error).toMatch(/of at most \d+ processes/);
    } else expect(result.data).toMatchObject({ exit_code: 0 });
  });

  test.each([1, 2, 3])('names the processes of the node, which can start %i more', async (more) => {
    const client = await connectToRig(rig, { env: { ENABLE_HOST_EXEC: 'true', POLICY: 'open' } });
    undos.push(() => client.close());
    await client.callTool('proxmox_list_containers', {});
    await limitNode(more);
    for (const [tool, args] of [
      ['list_containers', {}],
      ['host_exec_command', { command: 'ls /' }],
      ['container_exec_command', { vmid: CT.debian, command: 'true' }],
    ] as const) {
      const result = await client.callTool(`proxmox_${tool}`, args);
      // With some free processes, a call may succeed.
      if (!result.isError) continue;
      expect(failureOf(result).error).toMatch(
        /cannot start another process|of at most \d+ processes|no further process can be started/,
      );
    }
  });

  test('names the file on the node that lxc-attach cannot write', async () => {
    await remount(rig, 'ro');
    undos.push(() => remount(rig, 'rw'));
    const call = await server.call('container_exec_command', { vmid: CT.debian, command: 'true' });
    expect(failureOf(call)).toMatchObject({
      code: 'ATTACH_FAILED',
      error: expect.stringMatching(/lxc-attach cannot write \/run\/.* on the node \(Read-only file system\)/),
    });
    const { of } = await examine(server.dir, rigSettings(rig), ['--exec', String(CT.debian)]);
    expect(of('exec')).toMatchObject({ detail: expect.stringContaining('Read-only file system') });
  });

  test('runs commands and transfers in a container without /proc', async () => {
    const inside = ['nsenter', '-t', String(await rig.initPid(CT.debian)), '-m', '-p'];
    expect(await rig.inNode([...inside, 'umount', '-l', '/proc'])).toMatchObject({ code: 0 });
    undos.push(() => rig.inNode([...inside, 'mount', '-t', 'proc', 'proc', '/proc']));
    const exec = await server.exec(CT.debian, 'echo out; echo err >&2; exit 3');
    expect(exec).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exit_code: 3 });
  });
});

async function remount(rig: Rig, mode: 'ro' | 'rw'): Promise<void> {
  expect(await rig.inNode(['mount', '-o', `remount,${mode}`, '/run'])).toMatchObject({ code: 0 });
}
