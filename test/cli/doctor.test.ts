import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { rigSettings } from '../e2e/connect.ts';
import { settingsWithoutNode, silentNode } from '../mcp/fixtures.ts';
import { describeRig } from '../rig/require.ts';
import { CT } from '../rig/rig.ts';
import { keygenFingerprint, makeKey, noSshd, type Sshd, startSshd } from '../ssh/sshd.ts';
import { runCli } from './run.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-doctor-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const report = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      id: z.string(),
      verdict: z.enum(['ok', 'warn', 'fail', 'skipped']),
      detail: z.string(),
      remedy: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
});

/** Runs it for programs, and gives the check of an id; of several, the last one. */
async function examine(env: Record<string, string>, args: readonly string[] = []) {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], { cwd, env });
  expect(stderr).toBe('');
  const { ok, checks } = report.parse(JSON.parse(stdout));
  const of = (id: string) => {
    const check = checks.findLast((each) => each.id === id);
    expect(check, `${id} in ${stdout}`).toBeDefined();
    return check;
  };
  const with_ = (verdict: string) => checks.filter((each) => each.verdict === verdict).map(({ id }) => id);
  return { code, ok, of, failed: with_('fail'), warned: with_('warn'), skipped: with_('skipped') };
}

const AFTER_LOGIN = [
  'proxmox',
  'rights',
  'attach',
  'cluster-files',
  'quorum',
  'containers',
  'latency',
  'clock',
];

describe('settings', () => {
  test('every fault is told, and nothing else is tried: exit 2', async () => {
    const { code, failed } = await examine({ SSH_PORT: 'ssh' });
    expect({ code, failed }).toEqual({
      code: 2,
      failed: ['configuration', 'configuration', 'configuration'],
    });
  });

  test('consent alone that is missing keeps nothing from being looked at', async () => {
    const env = { ...(await settingsWithoutNode()), I_ACCEPT_RISKS: '', READONLY: 'true' };
    const { code, failed, warned } = await examine(env);
    expect({ code, failed, warned }).toEqual({
      code: 2,
      failed: ['configuration', 'port'],
      warned: ['configuration'],
    });
  });

  test.each([['x'], ['7']])('--exec %s is refused', async (vmid) => {
    const { code, stdout, stderr } = await runCli(['doctor', '--exec', vmid], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('VMID');
  });
});

describe('the way to the server', () => {
  test('a closed port: refused, what needs it is skipped, local checks go on', async () => {
    const { code, ok, of, failed, skipped } = await examine(await settingsWithoutNode());
    expect({ code, ok, failed }).toEqual({ code: 1, ok: false, failed: ['port'] });
    expect(of('port')).toMatchObject({
      code: 'SSH_UNREACHABLE',
      detail: expect.stringContaining('refused'),
      remedy: expect.stringContaining('SSH_PORT'),
    });
    expect(skipped).toEqual(['host-key', 'login', ...AFTER_LOGIN]);
    expect(of('transfer-dirs')).toMatchObject({ verdict: 'ok' });
  });

  test('an unknown name', async () => {
    const { of, failed } = await examine({ ...(await settingsWithoutNode()), HOST: 'no-such-node.invalid' });
    expect(failed).toEqual(['name']);
    expect(of('name')).toMatchObject({
      detail: expect.stringMatching(/name (is not known|cannot be looked)/),
    });
  });

  test('a port on which something else listens', async () => {
    const node = await silentNode();
    onTestFinished(() => node.close());
    const { of, failed } = await examine({ ...(await settingsWithoutNode()), SSH_PORT: String(node.port) });
    expect(failed).toEqual(['port']);
    expect(of('port')).toMatchObject({ detail: expect.stringContaining('does not greet') });
  });

  test.runIf(process.platform === 'linux')('packets that are dropped, as by a firewall', async () => {
    const full = await fullBacklog();
    onTestFinished(full.close);
    const { of, failed } = await examine({ ...(await settingsWithoutNode()), SSH_PORT: String(full.port) });
    expect(failed).toEqual(['port']);
    expect(of('port')).toMatchObject({
      detail: expect.stringContaining('no answer within 8 s'),
      remedy: expect.stringContaining('firewall'),
    });
  });
});

describe.skipIf(noSshd !== null)(
  `an SSH server that is no Proxmox node${noSshd ? ` (${noSshd})` : ''}`,
  () => {
    let sshd: Sshd;
    let settings: Record<string, string> = {};
    beforeAll(async () => {
      sshd = await startSshd();
      settings = {
        I_ACCEPT_RISKS: 'true',
        HOST: '127.0.0.1',
        SSH_PORT: String(sshd.port),
        SSH_USERNAME: sshd.username,
        SSH_KEY: sshd.userKey,
        SSH_KNOWN_HOSTS: path.join(sshd.dir, 'pinned'),
      };
      const key = await readFile(`${sshd.hostKey('ed25519')}.pub`, 'utf8');
      await writeFile(path.join(sshd.dir, 'pinned'), `[127.0.0.1]:${sshd.port} ${key}`);
    });
    afterAll(() => sshd.stop());

    test('is said to be none', async () => {
      const { of, failed } = await examine(settings);
      expect(failed).toEqual(['proxmox']);
      expect(of('proxmox')).toMatchObject({ code: 'NOT_A_PROXMOX_NODE' });
      expect(of('host-key')).toMatchObject({ verdict: 'ok', detail: expect.stringContaining('pinned:1') });
      expect(of('login')).toMatchObject({ detail: `as ${sshd.username}, with key file ${sshd.userKey}` });
    });

    test('a new host key is shown and compared, and nothing is written', async () => {
      const file = path.join(sshd.dir, 'nothing-yet');
      const { of } = await examine({ ...settings, SSH_KNOWN_HOSTS: file });
      expect(of('host-key')).toMatchObject({
        verdict: 'warn',
        detail: expect.stringContaining(keygenFingerprint(sshd.hostKey('ed25519'))),
        remedy: expect.stringContaining(file),
      });
      expect(existsSync(file)).toBe(false);
    });

    test('a new host key where it had to be known', async () => {
      const file = path.join(sshd.dir, 'nothing-yet');
      const env = { ...settings, SSH_KNOWN_HOSTS: file, SSH_HOST_KEY_POLICY: 'strict' };
      const { of, failed, skipped } = await examine(env);
      expect(failed).toEqual(['host-key']);
      expect(of('host-key')).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
      expect(skipped).toEqual(['login', ...AFTER_LOGIN]);
    });

    test('a changed host key: both fingerprints, and the line', async () => {
      const other = makeKey(cwd, 'other-host-key');
      const file = path.join(cwd, 'changed');
      await writeFile(file, `[127.0.0.1]:${sshd.port} ${await readFile(`${other}.pub`, 'utf8')}`);
      const { of, failed } = await examine({ ...settings, SSH_KNOWN_HOSTS: file });
      expect(failed).toEqual(['host-key']);
      const check = of('host-key');
      expect(check).toMatchObject({ code: 'HOST_KEY_CHANGED', remedy: expect.stringContaining(`${file}:1`) });
      expect(check?.detail).toContain(keygenFingerprint(other));
      expect(check?.detail).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
    });

    test('a wrong key', async () => {
      const { of, failed } = await examine({ ...settings, SSH_KEY: makeKey(cwd, 'wrong') });
      expect(failed).toEqual(['login']);
      expect(of('login')).toMatchObject({
        code: 'SSH_AUTH_FAILED',
        remedy: expect.stringContaining('authorized_keys'),
      });
    });

    test('a jump host: a line each', async () => {
      const { of, failed, code } = await examine({
        ...settings,
        SSH_JUMP: `${sshd.username}@127.0.0.1:${sshd.port}`,
      });
      expect({ code, failed }).toEqual({ code: 1, failed: ['proxmox'] });
      expect(of('login')).toMatchObject({ detail: expect.stringMatching(/^127\.0\.0\.1: as /) });
    });
  },
);

describeRig('doctor', (rig) => {
  test('finds nothing on a node that works, and runs a command where asked', async () => {
    const { code, ok, of, failed, warned, skipped } = await examine(rigSettings(rig), ['--exec', '9102']);
    expect({ code, ok, failed, warned, skipped }).toEqual({
      code: 0,
      ok: true,
      failed: [],
      warned: [],
      skipped: [],
    });
    expect(of('proxmox')?.detail).toContain('9.1.2');
    expect(of('attach')?.detail).toBe('lxc-attach');
    expect(of('exec')?.detail).toContain('ran in 9102, as root of');
  });

  test('for people: aligned, without colours outside a terminal, and a last word', async () => {
    const { code, stdout, stderr } = await runCli(['doctor'], { cwd, env: rigSettings(rig) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ Login {10}as root, with key file /m);
    expect(stdout).toContain('Everything that was checked works.');
    expect(stdout).not.toContain('\u001B');
  });

  test('a wrong password, which is not shown', async () => {
    const env = { ...rigSettings(rig), SSH_KEY: '', SSH_PASSWORD: 'wrong-secret' };
    const { of, failed } = await examine(env);
    expect(failed).toEqual(['login']);
    expect(of('login')).toMatchObject({ remedy: expect.stringContaining('SSH_PASSWORD') });
    expect(JSON.stringify(of('login'))).not.toContain('wrong-secret');
  });

  test('an encrypted key without its passphrase', async () => {
    const { of, failed } = await examine({ ...rigSettings(rig), SSH_KEY: rig.info.keys.encrypted });
    expect(failed).toEqual(['login']);
    expect(of('login')).toMatchObject({ code: 'SSH_KEY_UNUSABLE' });
  });

  test('a user who is not root, without SUDO: the rule to paste', async () => {
    const { of, failed } = await examine({ ...rigSettings(rig), SSH_USERNAME: 'admin' });
    expect(failed).toEqual(['rights']);
    expect(of('rights')?.remedy).toMatch(
      /SUDO=true.*\necho 'admin ALL=\(root\) NOPASSWD: .*\/pct, \/bin\/sh'/,
    );
  });

  test('an admin with SUDO has all of it', async () => {
    const env = { ...rigSettings(rig), SSH_USERNAME: 'admin', SUDO: 'true' };
    expect(await examine(env, ['--exec', '9101'])).toMatchObject({ code: 0, warned: [] });
  });

  test('an operator with pct alone: works, and what is missing is told', async () => {
    const env = { ...rigSettings(rig), SSH_USERNAME: 'operator', SUDO: 'true' };
    const found = await examine(env, ['--exec', '9101']);
    expect(found).toMatchObject({ code: 0, failed: [], warned: ['rights', 'attach', 'cluster-files'] });
    expect(found.of('rights')?.detail).toContain('only pct');
    expect(found.of('exec')?.verdict).toBe('ok');
    const forced = await examine({ ...env, EXEC_METHOD: 'lxc-attach' });
    expect(forced).toMatchObject({ code: 1, failed: ['attach'] });
  });

  test('no quorum', async () => {
    const members = (await rig.readInNode('/etc/pve/.members')).toString('utf8');
    onTestFinished(await rig.setPve('.members', members.replace(/"quorate":\s*1/, '"quorate": 0')));
    const { of, failed, skipped } = await examine(rigSettings(rig));
    expect({ failed, skipped }).toEqual({ failed: ['quorum'], skipped: [] });
    expect(of('quorum')).toMatchObject({
      code: 'NO_QUORUM',
      remedy: expect.stringContaining('pvecm status'),
    });
  });

  test('pmxcfs is down: said so, and commands still run', async () => {
    onTestFinished(await rig.setPve('.members', undefined));
    onTestFinished(await rig.setPve('.vmlist', undefined));
    const { of, failed, skipped } = await examine(rigSettings(rig), ['--exec', '9101']);
    expect({ failed, skipped }).toEqual({ failed: ['cluster-files'], skipped: ['quorum', 'containers'] });
    expect(of('cluster-files')).toMatchObject({
      code: 'PMXCFS_UNAVAILABLE',
      remedy: expect.stringContaining('pve-cluster'),
    });
    expect(of('exec')?.verdict).toBe('ok');
  });

  test('a container that does not run', async () => {
    const { of, failed } = await examine(rigSettings(rig), ['--exec', String(CT.stopped)]);
    expect(failed).toEqual(['exec']);
    expect(of('exec')).toMatchObject({ code: 'CONTAINER_NOT_RUNNING' });
  });
});

/** A port whose queue of connections is full: the kernel drops what comes, without a word. */
async function fullBacklog(): Promise<{ port: number; close: () => void }> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString())));
  });
  const sockets: Socket[] = [];
  for (let i = 0; i < 6; i += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    sockets.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
