import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../rig/until.ts';
import { keygenFingerprint, makeKey, noSshd, type Sshd, startSshd } from '../ssh/sshd.ts';
import { AFTER_LOGIN, examine } from './doctor-report.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-doctor-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe.skipIf(noSshd !== null)(
  `doctor on an SSH server without Proxmox VE${noSshd ? ` (${noSshd})` : ''}`,
  () => {
    let sshd: Sshd;
    let settings: Record<string, string> = {};
    beforeAll(async () => {
      sshd = await startSshd({ withoutProxmox: true });
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

    test('reports that the server is not a Proxmox VE node', async () => {
      const { of, failed } = await examine(cwd, settings);
      expect(failed).toEqual(['proxmox']);
      expect(of('proxmox')).toMatchObject({ code: 'NOT_A_PROXMOX_NODE' });
      expect(of('host-key')).toMatchObject({ verdict: 'ok', detail: expect.stringContaining('pinned:1') });
      expect(of('login')).toMatchObject({ detail: `as ${sshd.username}, with key file ${sshd.userKey}` });
    });

    test('shows a new host key, and writes nothing', async () => {
      const file = path.join(sshd.dir, 'nothing-yet');
      const { of } = await examine(cwd, { ...settings, SSH_KNOWN_HOSTS: file });
      expect(of('host-key')).toMatchObject({
        verdict: 'warn',
        detail: expect.stringContaining(keygenFingerprint(sshd.hostKey('ed25519'))),
        remedy: expect.stringContaining(file),
      });
      expect(existsSync(file)).toBe(false);
    });

    test('reports an unknown host key under strict', async () => {
      const file = path.join(sshd.dir, 'nothing-yet');
      const env = { ...settings, SSH_KNOWN_HOSTS: file, SSH_HOST_KEY_POLICY: 'strict' };
      const { of, failed, skipped } = await examine(cwd, env);
      expect(failed).toEqual(['host-key']);
      expect(of('host-key')).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
      expect(skipped).toEqual(['login', ...AFTER_LOGIN]);
    });

    test('reports a changed host key with both fingerprints and the line', async () => {
      const other = makeKey(cwd, 'other-host-key');
      const file = path.join(cwd, 'changed');
      await writeFile(file, `[127.0.0.1]:${sshd.port} ${await readFile(`${other}.pub`, 'utf8')}`);
      const { of, failed } = await examine(cwd, { ...settings, SSH_KNOWN_HOSTS: file });
      expect(failed).toEqual(['host-key']);
      const check = of('host-key');
      expect(check).toMatchObject({ code: 'HOST_KEY_CHANGED', remedy: expect.stringContaining(`${file}:1`) });
      expect(check?.detail).toContain(keygenFingerprint(other));
      expect(check?.detail).toContain(keygenFingerprint(sshd.hostKey('ed25519')));
    });

    test('reports a wrong key', async () => {
      const { of, failed } = await examine(cwd, { ...settings, SSH_KEY: makeKey(cwd, 'wrong') });
      expect(failed).toEqual(['login']);
      expect(of('login')).toMatchObject({
        code: 'SSH_AUTH_FAILED',
        remedy: expect.stringContaining('authorized_keys'),
      });
    });

    test('reports that a working agent key depends on a variable that clients drop', async () => {
      const socket = path.join(sshd.dir, 'agent.sock');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      try {
        await until(() => existsSync(socket));
        execFileSync('ssh-add', ['-q', sshd.userKey], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
        const { SSH_KEY: _, ...others } = settings;
        const { of, failed } = await examine(cwd, { ...others, SSH_AUTH_SOCK: socket });
        expect(failed).toEqual(['proxmox']);
        expect(of('login')).toMatchObject({
          verdict: 'warn',
          detail: expect.stringMatching(/agent key "user" from the ssh-agent in SSH_AUTH_SOCK/),
          remedy: expect.stringContaining('SSH_KEY'),
        });
        const without = await examine(cwd, others);
        expect(without.of('login')).toMatchObject({
          code: 'SSH_AUTH_FAILED',
          remedy: expect.stringContaining('MCP clients do not pass that variable on'),
        });
        expect((await examine(cwd, { ...settings, SSH_AUTH_SOCK: '' })).of('login')).toMatchObject({
          verdict: 'ok',
        });
      } finally {
        agent.kill();
      }
    });

    test('reports the directories that XDG_CONFIG_HOME and XDG_STATE_HOME select', async () => {
      const { SSH_KNOWN_HOSTS: _, ...others } = settings;
      const moved = path.join(cwd, 'elsewhere');
      const env = { ...others, XDG_CONFIG_HOME: moved, XDG_STATE_HOME: moved };
      const { checks } = await examine(cwd, env);
      const told = checks.filter(({ id, verdict }) => id === 'configuration' && verdict === 'warn');
      expect(told.map(({ detail }) => detail.split(' ')[0])).toEqual(['XDG_CONFIG_HOME', 'XDG_STATE_HOME']);
      expect(told[0]?.detail).toContain(path.join(moved, 'proxmox-mcp', 'known_hosts'));
      expect(told[0]?.remedy).toContain(`"env": { "XDG_CONFIG_HOME": "${moved}" }`);
      const usual = {
        XDG_CONFIG_HOME: path.join(cwd, '.config'),
        XDG_STATE_HOME: path.join(cwd, '.local/state'),
      };
      expect((await examine(cwd, { ...others, ...usual })).warned).not.toContain('configuration');
    });

    test('reports an unsupported ProxyCommand before it connects', async () => {
      await mkdir(path.join(cwd, '.ssh'), { recursive: true });
      const config = path.join(cwd, '.ssh', 'config');
      await writeFile(config, 'Host 127.0.0.1\n ProxyCommand cloudflared access ssh --hostname %h\n');
      try {
        const { of, failed, code } = await examine(cwd, settings);
        expect({ failed, code }).toEqual({ failed: ['configuration'], code: 1 });
        expect(of('configuration')).toMatchObject({
          code: 'SSH_UNREACHABLE',
          detail: expect.stringContaining('cloudflared'),
        });
      } finally {
        await rm(config);
      }
    });

    test('prints one line per jump host', async () => {
      const { of, failed, code } = await examine(cwd, {
        ...settings,
        SSH_JUMP: `${sshd.username}@127.0.0.1:${sshd.port}`,
      });
      expect({ code, failed }).toEqual({ code: 1, failed: ['proxmox'] });
      expect(of('login')).toMatchObject({ detail: expect.stringMatching(/^127\.0\.0\.1: as /) });
    });
  },
);

describe.skipIf(noSshd !== null)('the version of Proxmox VE', () => {
  const WARNING = 'perl: warning: Setting locale failed.';
  test.each([
    [
      'is read when a warning is printed',
      `echo '${WARNING}' >&2; echo 'pve-manager/9.1.2/abc (running kernel: 6.14)'`,
      /^9\.1\.2, on/,
    ],
    ['is optional', `echo '${WARNING}' >&2`, /^unknown version, on/],
  ])('%s', async (_name, script, detail) => {
    const bin = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-bin-'));
    for (const [name, text] of [
      ['pveversion', script],
      ['pct', 'exit 1'],
      ['lxc-attach', 'exit 1'],
    ] as const) {
      await writeFile(path.join(bin, name), `#!/bin/sh\n${text}\n`);
      await chmod(path.join(bin, name), 0o755);
    }
    const sshd = await startSshd({ config: [`SetEnv HOME=${bin} PATH=${bin}:/usr/bin:/bin`] });
    try {
      const { of } = await examine(cwd, {
        I_ACCEPT_RISKS: 'true',
        HOST: '127.0.0.1',
        SSH_PORT: String(sshd.port),
        SSH_USERNAME: sshd.username,
        SSH_KEY: sshd.userKey,
        SSH_HOST_KEY_POLICY: 'insecure',
      });
      expect(of('proxmox')).toMatchObject({ verdict: 'ok', detail: expect.stringMatching(detail) });
    } finally {
      await sshd.stop();
      await rm(bin, { recursive: true, force: true });
    }
  });
});
