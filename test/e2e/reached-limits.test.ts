import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { hasErrno } from '../../src/lib/errno.ts';
import { examine } from '../cli/doctor-report.ts';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { connectToRig, failureOf, rigSettings, useClient } from './connect.ts';

const CGROUPS = '/sys/fs/cgroup';

/** The cgroup of a controller, with version 1 or 2. */
function cgroup(controller: string, name: string): string {
  const own = path.join(CGROUPS, controller);
  return path.join(existsSync(own) ? own : CGROUPS, name);
}

function membersOf(dir: string): number[] {
  return readFileSync(path.join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

/** Moves processes into a cgroup, except those that have ended meanwhile. */
function moveTo(dir: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(path.join(dir, 'cgroup.procs'), String(pid));
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
  }
}

describeRig('a limit that is reached', (rig) => {
  const server = useClient(rig, { ENABLE_HOST_EXEC: 'true', POLICY: 'open' });
  const undos: (() => unknown)[] = [];
  afterEach(async () => {
    for (const undo of undos.splice(0).reverse()) await undo();
  });

  const mustInNode = async (...argv: string[]) => expect(await rig.inNode(argv)).toMatchObject({ code: 0 });

  /** Lets a container have so many processes more than its own two. */
  async function limitProcesses(vmid: number, more: number): Promise<void> {
    const dir = cgroup('pids', `lxc/${vmid}`);
    const now = 2;
    // Those of the call before may still be ending.
    await until(() => Number(readFileSync(path.join(dir, 'pids.current'), 'utf8')) === now);
    writeFileSync(path.join(dir, 'pids.max'), `${now + more}`);
    undos.push(() => writeFileSync(path.join(dir, 'pids.max'), 'max'));
  }

  /** Lets the node have so many processes more than it has now. */
  async function limitNode(more: number): Promise<void> {
    const dir = cgroup('pids', `proxmox-mcp-test-${rig.info.firstVmid}`);
    await mkdir(dir);
    undos.push(async () => {
      writeFileSync(path.join(dir, 'pids.max'), 'max');
      await until(() => {
        const left = membersOf(dir);
        moveTo(cgroup('pids', ''), left);
        return left.length === 0;
      });
      rmdirSync(dir);
    });
    // Again, because processes that are not yet moved start others meanwhile.
    await until(() => {
      const members = new Set(membersOf(dir));
      const others = rig.nodePids().filter(({ pid, state }) => state !== 'Z' && !members.has(pid));
      moveTo(
        dir,
        others.map(({ pid }) => pid),
      );
      return others.length === 0;
    });
    const now = Number(readFileSync(path.join(dir, 'pids.current'), 'utf8'));
    writeFileSync(path.join(dir, 'pids.max'), `${now + more}`);
  }

  test.each([
    [0, 'ATTACH_FAILED'],
    [2, 'TRANSFER_FAILED'],
  ])('names the processes of a container that may have %i more: %s', async (more, code) => {
    await limitProcesses(CT.debian, more);
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

  // Each needs another number of processes.
  test.each([3, 6, 9])('is no log without lines, with %i processes more', async (more) => {
    await limitProcesses(CT.debian, more);
    for (const args of [
      { path: '/etc/hostname' },
      { path: '/etc/passwd', match: 'root' },
      { path: '/etc/passwd', match: 'ro+t', regex: true },
      { path: '/etc/passwd', match: 'root', context: 2 },
      { path: '/etc/passwd', group: 'message' },
    ]) {
      const result = await server.call('read_logs', { vmid: CT.debian, ...args });
      if (!result.isError) {
        expect(result.text).toMatch(/^[1-9]/);
        continue;
      }
      expect(failureOf(result)).toMatchObject({
        code: 'EXIT_UNKNOWN',
        error: expect.stringMatching(/not searched completely.* has \d+ of at most \d+ processes/),
      });
    }
  });

  test('is no log without matches where the kernel kills the search', async () => {
    const grep = '/usr/local/bin/grep';
    await rig.writeInContainer(
      CT.debian,
      grep,
      '#!/bin/sh\ncase $* in *-aF*) kill -9 $$;; esac\nexec /bin/grep "$@"\n',
    );
    await rig.inContainer(CT.debian, ['chmod', '755', grep]);
    undos.push(() => rig.inContainer(CT.debian, ['rm', '-f', grep]));
    const search = { vmid: CT.debian, path: '/etc/passwd', match: 'root' };
    expect(failureOf(await server.call('read_logs', search))).toMatchObject({
      code: 'EXIT_UNKNOWN',
      error: expect.stringContaining('was killed'),
    });
  });

  test.each([0, 1])('names the processes of the node, which can start %i more', async (more) => {
    const client = await connectToRig(rig, { env: { ENABLE_HOST_EXEC: 'true', POLICY: 'open' } });
    undos.push(() => client.close());
    await client.callTool('proxmox_list_containers', {});
    await limitNode(more);
    let failed = 0;
    for (const [tool, args] of [
      ['list_containers', {}],
      ['host_exec_command', { command: 'ls /' }],
      ['container_exec_command', { vmid: CT.debian, command: 'true' }],
    ] as const) {
      const result = await client.callTool(`proxmox_${tool}`, args);
      // With some free processes, a call may succeed.
      if (!result.isError) continue;
      failed += 1;
      expect(failureOf(result).error).toMatch(
        /cannot start another process|of at most \d+ processes|no further process can be started/,
      );
    }
    expect(failed).toBeGreaterThan(0);
  });

  test('names the file on the node that lxc-attach cannot write', async () => {
    // A mount of its own, because that of the node cannot become read-only while any process writes a file there.
    await mustInNode('mount', '--bind', '/run', '/run');
    undos.push(() => mustInNode('umount', '-l', '/run'));
    await mustInNode('mount', '-o', 'remount,bind,ro', '/run');
    const call = await server.call('container_exec_command', { vmid: CT.debian, command: 'true' });
    expect(failureOf(call)).toMatchObject({
      code: 'ATTACH_FAILED',
      error: expect.stringMatching(/lxc-attach cannot write \/run\/.* on the node \(Read-only file system\)/),
    });
    const { of } = await examine(server.dir, rigSettings(rig), ['--exec', String(CT.debian)]);
    expect(of('exec')).toMatchObject({ detail: expect.stringContaining('Read-only file system') });
  });

  test('runs commands in a container without /proc', async () => {
    const inside = ['nsenter', '-t', String(await rig.initPid(CT.busybox)), '-m', '-p'];
    expect(await rig.inNode([...inside, 'umount', '-l', '/proc'])).toMatchObject({ code: 0 });
    undos.push(() => rig.inNode([...inside, 'mount', '-t', 'proc', 'proc', '/proc']));
    const exec = await server.exec(CT.busybox, 'echo out; echo err >&2; exit 3');
    expect(exec).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exit_code: 3 });
  });
});
