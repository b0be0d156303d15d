import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { describeNode } from '../e2e/nodes.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { examine } from './doctor-report.ts';
import { runCli } from './run.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-doctor-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describeNode('doctor', [], (node) => {
  test('passes on a working node, and runs a command with --exec', async () => {
    const { code, ok, of, failed, warned, skipped } = await examine(cwd, node.settings(), [
      '--exec',
      String(CT.busybox),
    ]);
    expect({ code, ok, failed, warned, skipped }).toEqual({
      code: 0,
      ok: true,
      failed: [],
      // Nothing connects to the other node.
      warned: ['nodes'],
      skipped: [],
    });
    expect(of('proxmox')?.detail).toContain('9.1.2');
    expect(of('attach')?.detail).toBe('lxc-attach');
    expect(of('exec')?.detail).toContain(`ran in ${CT.busybox}, as root of`);
  });

  test('prints aligned text for people, without colors outside a terminal', async () => {
    const { code, stdout, stderr } = await runCli(['doctor'], { cwd, env: node.settings() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ Login {10}as root, with key file /m);
    expect(stdout).toContain('All checks passed, 1 warning (!).');
    expect(stdout).not.toContain('\u001B');
  });

  test('reports a wrong password without printing it', async () => {
    const env = { ...node.settings(), SSH_KEY: '', SSH_PASSWORD: 'wrong-secret' };
    const { of, failed } = await examine(cwd, env);
    expect(failed).toEqual(['login']);
    expect(of('login')).toMatchObject({ remedy: expect.stringContaining('SSH_PASSWORD') });
    expect(JSON.stringify(of('login'))).not.toContain('wrong-secret');
  });

  test('reports an encrypted key without its passphrase', async () => {
    const { of, failed } = await examine(cwd, { ...node.settings(), SSH_KEY: node.keys().encrypted });
    expect(failed).toEqual(['login']);
    expect(of('login')).toMatchObject({ code: 'SSH_KEY_UNUSABLE' });
  });

  test('prints the sudo rule for a user who is not root with SUDO=false', async () => {
    const { of, failed } = await examine(cwd, {
      ...node.settings(),
      SSH_USERNAME: 'admin',
      SUDO: 'false',
    });
    expect(failed).toEqual(['rights']);
    expect(of('rights')?.remedy).toMatch(
      /remove SUDO=false.*\necho 'admin ALL=\(root\) NOPASSWD: \/bin\/sh' >/,
    );
  });

  test('passes for an administrator with sudo, whether SUDO is set or detected', async () => {
    for (const more of [{}, { SUDO: 'true' }]) {
      const env = { ...node.settings(), SSH_USERNAME: 'admin', ...more };
      expect(await examine(cwd, env, ['--exec', String(CT.debian)])).toMatchObject({
        code: 0,
        warned: ['nodes'],
      });
    }
  });

  test('passes for an operator whose sudo allows /bin/sh', async () => {
    const env = { ...node.settings(), SSH_USERNAME: 'operator', SUDO: 'true', EXEC_METHOD: 'pct' };
    const found = await examine(cwd, env, ['--exec', String(CT.debian)]);
    expect(found).toMatchObject({ code: 0, failed: [] });
    expect(found.of('rights')).toMatchObject({ verdict: 'ok', detail: 'operator, by sudo' });
    expect(found.of('attach')).toMatchObject({ verdict: 'ok', detail: 'lxc-attach' });
    expect(found.of('exec')?.verdict).toBe('ok');
  });

  test('reports a lost quorum', async () => {
    const members = (await node.readInNode('/etc/pve/.members')).toString('utf8');
    onTestFinished(await node.setPve('.members', members.replace(/"quorate":\s*1/, '"quorate": 0')));
    const { of, failed, skipped } = await examine(cwd, node.settings());
    expect({ failed, skipped }).toEqual({ failed: ['quorum'], skipped: [] });
    expect(of('quorum')).toMatchObject({
      code: 'NO_QUORUM',
      remedy: expect.stringContaining('pvecm status'),
    });
  });

  test('reports that pmxcfs is down, and still runs commands', async () => {
    onTestFinished(await node.setPve('.members', undefined));
    onTestFinished(await node.setPve('.vmlist', undefined));
    const { of, failed, skipped } = await examine(cwd, node.settings(), ['--exec', String(CT.debian)]);
    expect({ failed, skipped }).toEqual({ failed: ['cluster-files'], skipped: ['quorum', 'containers'] });
    expect(of('cluster-files')).toMatchObject({
      code: 'PMXCFS_UNAVAILABLE',
      remedy: expect.stringContaining('pve-cluster'),
    });
    expect(of('exec')?.verdict).toBe('ok');
  });

  test('reports a stopped container', async () => {
    const { of, failed } = await examine(cwd, node.settings(), ['--exec', String(CT.stopped)]);
    expect(failed).toEqual(['exec']);
    expect(of('exec')).toMatchObject({ code: 'CONTAINER_NOT_RUNNING' });
  });
});

describe('doctor --report', () => {
  const node = new SimulatedNode();
  beforeAll(() => node.start());
  afterAll(() => node.stop());

  test('prints every check, without addresses, names, paths and fingerprints', async () => {
    const env: Record<string, string> = {
      ...node.settings(),
      SSH_USERNAME: 'admin',
      POLICY: 'careful',
    };
    const { code, stdout, stderr } = await runCli(['doctor', '--report'], { cwd, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^```\nproxmox-mcp \S+, Node\.js v\S+, [\s\S]*\n```\n$/);
    expect(stdout).toContain('POLICY=careful');
    expect(stdout, 'settings with their defaults').not.toMatch(/MAX_FILE_SIZE|APPROVAL_TTL|TOOLSETS/);
    expect(stdout).toMatch(/^ok +Login: as <name>/m);
    expect(stdout).toMatch(/: <address> port \d+ answers: /);
    for (const told of ['127.0.0.1', 'admin', cwd, env.SSH_KEY ?? '?', 'pve1', 'debian,', 'busybox']) {
      expect(stdout, told).not.toContain(told);
    }
    expect(stdout).not.toMatch(/SHA256:\w/);
  });
});
