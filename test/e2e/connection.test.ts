import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CT } from '../rig/rig.ts';
import { must } from '../rig/run.ts';
import { until } from '../rig/until.ts';
import { execResult, failureOf, uniqueSleep, useClient } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('a lost SSH connection', [], (rig) => {
  const node = useClient(rig);

  test('ends a running command as disconnected, with its output so far, and says that it may still be running', async () => {
    const n = uniqueSleep();
    const running = node.call('container_exec_command', {
      vmid: CT.debian,
      command: `echo begun; echo trouble >&2; sleep 0.5; exec sleep ${n}`,
      timeout: 60,
    });
    // Matches the sleep itself, not the shell whose text contains it: earlier output has then been sent.
    const sleeps = async () =>
      (await rig.containerProcesses(CT.debian, n)).some(({ comm }) => comm === 'sleep');
    await until(sleeps);
    const lost = performance.now();
    rig.killSshConnections();
    const result = await running;
    // Long before missing keepalive replies would show it.
    expect(performance.now() - lost).toBeLessThan(10_000);
    expect(execResult(result)).toMatchObject({
      isError: true,
      ended: 'disconnected',
      code: 'DISCONNECTED',
      exit_code: null,
      stdout: 'begun\n',
      stderr: 'trouble\n',
      survivors: null,
    });
    expect(result.text).toContain('may still be running');
    // It does run: the message is correct, not just cautious.
    expect(await rig.containerProcesses(CT.debian, `sleep ${n}`)).not.toEqual([]);
    await rig.inContainer(CT.debian, ['pkill', '-f', `sleep ${n}`]);
  });

  test('is replaced by a new one for the next call', async () => {
    expect(await node.exec(CT.debian, 'echo before')).toMatchObject({ exit_code: 0 });
    rig.killSshConnections();
    expect(await node.exec(CT.debian, 'echo after')).toMatchObject({ stdout: 'after\n', exit_code: 0 });
  });

  test('is followed by one retry of a read', async () => {
    const undo = await rig.hangClusterFile('.rrd');
    const listing = node.call('list_containers', {});
    try {
      await until(() => rig.nodeProcesses('.rrd').some(({ cmdline }) => cmdline.startsWith('grep')));
      rig.killSshConnections();
    } finally {
      await undo();
    }
    const list = await listing;
    expect(list.isError, list.text).toBe(false);
    expect(list.data.containers).toHaveLength(5);
  });

  test('is not followed by a retry of a command', async () => {
    const counter = '/tmp/counted';
    await rig.writeInContainer(CT.debian, counter, '');
    const running = node.exec(CT.debian, `echo once >>${counter}; sleep 30`, { timeout: 60 });
    await until(async () => (await rig.inContainer(CT.debian, ['cat', counter])).stdout !== '');
    rig.killSshConnections();
    expect(await running).toMatchObject({ ended: 'disconnected' });
    expect((await rig.inContainer(CT.debian, ['cat', counter])).stdout).toBe('once\n');
  });
});

describeNode('an unresponsive node', [], (rig) => {
  const node = useClient(rig);

  test('is detected within 30 s', async () => {
    const running = node.call('container_exec_command', {
      vmid: CT.debian,
      command: 'sleep 100',
      timeout: 120,
    });
    await until(async () => (await rig.containerProcesses(CT.debian, 'sleep 100')).length > 0);
    const silent = performance.now();
    const end = await rig.silence();
    try {
      // It is not specified whether the server already knows that the command began.
      expect(await running).toMatchObject({ isError: true, data: { code: 'DISCONNECTED' } });
      // A busy machine notices it some seconds later.
      expect(performance.now() - silent).toBeLessThan(40_000);
    } finally {
      await end();
    }
    await rig.inContainer(CT.debian, ['pkill', '-f', 'sleep 100']);
  });
});

describeNode('a failed connection', [], (rig) => {
  const wrongPort = useClient(rig, { SSH_PORT: '1' });
  test('names address, port and a next step for a wrong port', async () => {
    const failure = failureOf(await wrongPort.call('list_containers', {}));
    expect(failure.code).toBe('SSH_UNREACHABLE');
    expect(failure.error).toContain('127.0.0.1');
    expect(failure.suggestion).toMatch(/SSH_PORT/);
  });

  const own = mkdtempSync(path.join(tmpdir(), 'proxmox-mcp-keys-'));
  const changedKey = useClient(rig, { SSH_KNOWN_HOSTS: path.join(own, 'known_hosts') });
  test('names both fingerprints of a changed host key', async () => {
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path.join(own, 'other')]);
    const other = (await readFile(path.join(own, 'other.pub'), 'utf8')).trim();
    await writeFile(path.join(own, 'known_hosts'), `[127.0.0.1]:${rig.settings().SSH_PORT} ${other}\n`);
    const failure = failureOf(await changedKey.call('list_containers', {}));
    expect(failure.code).toBe('HOST_KEY_CHANGED');
    expect(`${failure.error} ${failure.suggestion}`).toContain(rig.fingerprint());
    expect(
      `${failure.error} ${failure.suggestion}`.match(/SHA256:[\w+/]{43}/g)?.length,
    ).toBeGreaterThanOrEqual(2);
    await rm(own, { recursive: true });
  });
});
