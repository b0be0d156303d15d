import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keygenFingerprint, makeKey, noSshd, type Sshd, startSshd } from '../ssh/sshd.ts';
import { AFTER_LOGIN, examine } from './doctor-report.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-doctor-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe.skipIf(noSshd !== null)(
  `an SSH server that is no Proxmox node${noSshd ? ` (${noSshd})` : ''}`,
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

    test('is said to be none', async () => {
      const { of, failed } = await examine(cwd, settings);
      expect(failed).toEqual(['proxmox']);
      expect(of('proxmox')).toMatchObject({ code: 'NOT_A_PROXMOX_NODE' });
      expect(of('host-key')).toMatchObject({ verdict: 'ok', detail: expect.stringContaining('pinned:1') });
      expect(of('login')).toMatchObject({ detail: `as ${sshd.username}, with key file ${sshd.userKey}` });
    });

    test('a new host key is shown and compared, and nothing is written', async () => {
      const file = path.join(sshd.dir, 'nothing-yet');
      const { of } = await examine(cwd, { ...settings, SSH_KNOWN_HOSTS: file });
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
      const { of, failed, skipped } = await examine(cwd, env);
      expect(failed).toEqual(['host-key']);
      expect(of('host-key')).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
      expect(skipped).toEqual(['login', ...AFTER_LOGIN]);
    });

    test('a changed host key: both fingerprints, and the line', async () => {
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

    test('a wrong key', async () => {
      const { of, failed } = await examine(cwd, { ...settings, SSH_KEY: makeKey(cwd, 'wrong') });
      expect(failed).toEqual(['login']);
      expect(of('login')).toMatchObject({
        code: 'SSH_AUTH_FAILED',
        remedy: expect.stringContaining('authorized_keys'),
      });
    });

    test('a jump host: a line each', async () => {
      const { of, failed, code } = await examine(cwd, {
        ...settings,
        SSH_JUMP: `${sshd.username}@127.0.0.1:${sshd.port}`,
      });
      expect({ code, failed }).toEqual({ code: 1, failed: ['proxmox'] });
      expect(of('login')).toMatchObject({ detail: expect.stringMatching(/^127\.0\.0\.1: as /) });
    });
  },
);
