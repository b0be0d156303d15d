import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { SshTarget } from '../ssh/ssh-types.ts';
import type { HostEnvironment } from './host-environment.ts';
import { loadConfig } from './load.ts';
import { resolveSshTarget } from './ssh-target.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'target-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let home = '';
let warnings: string[] = [];
beforeEach(() => {
  home = fs.mkdtempSync(path.join(root, 'home-'));
  fs.mkdirSync(path.join(home, '.ssh'));
  warnings = [];
});

function put(name: string, content = ''): string {
  const file = path.join(home, '.ssh', name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return file;
}

function resolve(settings: Record<string, string>, options: Partial<HostEnvironment> = {}): SshTarget {
  const env = { I_ACCEPT_RISKS: 'true', HOST: 'pve', ...settings };
  const at: HostEnvironment = { platform: 'linux', env, home, cwd: home, username: 'me', ...options };
  const loaded = loadConfig({}, at);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return resolveSshTarget(loaded.config, at, (warning) => warnings.push(warning));
}

test('without ~/.ssh/config: the host as it stands, root, 22, known hosts and an own file', () => {
  const own = path.join(home, '.config', 'proxmox-mcp', 'known_hosts');
  expect(resolve({})).toEqual({
    host: 'pve',
    port: 22,
    username: 'root',
    identityFiles: [],
    jumps: [],
    hostKeyPolicy: 'accept-new',
    knownHostsFiles: [path.join(home, '.ssh', 'known_hosts'), own],
    knownHostsWriteFile: own,
  });
});

const ALIAS = `
Host pve
  HostName 192.0.2.7
  Port 2200
  User admin
  IdentityFile ~/.ssh/id_pve
  IdentityFile ~/.ssh/id_missing
  IdentitiesOnly yes
  HostKeyAlias cluster
  UserKnownHostsFile ~/.ssh/known_a ~/.ssh/known_b
Host *
  User other
  IdentityFile ~/.ssh/id_%r
`;

describe('an alias', () => {
  test('brings address, port, user, keys and files', () => {
    put('config', ALIAS);
    const key = put('id_pve');
    const second = put('id_admin');
    expect(resolve({})).toMatchObject({
      host: '192.0.2.7',
      port: 2200,
      username: 'admin',
      identityFiles: [key, second],
      identitiesOnly: true,
      hostKeyAlias: 'cluster',
      knownHostsFiles: [
        path.join(home, '.ssh', 'known_a'),
        path.join(home, '.ssh', 'known_b'),
        path.join(home, '.config', 'proxmox-mcp', 'known_hosts'),
      ],
    });
  });

  test('gives way to explicit settings', () => {
    put('config', ALIAS);
    const named = put('mine', '-----BEGIN');
    const key = put('id_pve');
    expect(
      resolve({ SSH_PORT: '22', SSH_USERNAME: 'root', SSH_KEY: named, SSH_KNOWN_HOSTS: '~/kh' }),
    ).toMatchObject({
      port: 22,
      username: 'root',
      identityFiles: [named, key],
      knownHostsFiles: [path.join(home, 'kh')],
      knownHostsWriteFile: path.join(home, 'kh'),
    });
  });

  test('is read whatever the case of its keywords, with CRLF line ends', () => {
    put('config', 'host pve\r\n\thostname=192.0.2.8\r\n\tUSER "joe"\r\n');
    expect(resolve({})).toMatchObject({ host: '192.0.2.8', username: 'joe' });
  });
});

describe('keys', () => {
  test('the usual files are tried when nobody named one', () => {
    const rsa = put('id_rsa');
    const ed = put('id_ed25519');
    expect(resolve({}).identityFiles).toEqual([ed, rsa]);
    const named = put('mine', '-----BEGIN');
    expect(resolve({ SSH_KEY: named }).identityFiles).toEqual([named]);
  });
  test('a file of which only the public half is there stays: the agent may hold the key', () => {
    put('config', 'Host pve\n IdentityFile ~/.ssh/token\n');
    put('token.pub', 'ssh-ed25519 AAAA');
    expect(resolve({}).identityFiles).toEqual([path.join(home, '.ssh', 'token')]);
  });
  test('password and passphrase reach the node', () => {
    expect(resolve({ SSH_PASSWORD: 'p', SSH_KEY_PASSPHRASE: 'q' })).toMatchObject({
      password: 'p',
      passphrase: 'q',
    });
  });
});

describe('the agent', () => {
  test('is the one at SSH_AUTH_SOCK', () => {
    expect(resolve({ SSH_AUTH_SOCK: '/run/agent' }).agent).toBe('/run/agent');
  });
  test('is the pipe of OpenSSH on Windows', () => {
    expect(resolve({}, { platform: 'win32' }).agent).toBe('\\\\.\\pipe\\openssh-ssh-agent');
  });
  test.each([
    ['~/agent.sock', () => path.join(home, 'agent.sock')],
    ['none', () => undefined],
    ['SSH_AUTH_SOCK', () => '/run/agent'],
    ['$MY_AGENT', () => '/run/mine'],
  ])('IdentityAgent %s', (value, expected) => {
    put('config', `Host pve\n IdentityAgent ${value}\n`);
    expect(resolve({ SSH_AUTH_SOCK: '/run/agent', MY_AGENT: '/run/mine' }).agent).toBe(expected());
  });
});

describe('jumps', () => {
  test('may be aliases, IPv6 addresses and have keys of their own, but never the password', () => {
    put('config', 'Host bastion\n HostName 192.0.2.1\n User hop\n IdentityFile ~/.ssh/id_hop\n');
    const key = put('id_hop');
    const target = resolve({ SSH_JUMP: 'bastion,joe@[2001:db8::5]:2222', SSH_PASSWORD: 'secret' });
    expect(target.jumps).toMatchObject([
      { host: '192.0.2.1', username: 'hop', port: 22, identityFiles: [key], jumps: [] },
      { host: '2001:db8::5', username: 'joe', port: 2222, jumps: [] },
    ]);
    expect(JSON.stringify(target.jumps)).not.toContain('secret');
  });
  test('come from ProxyJump, and the first one from its own', () => {
    put(
      'config',
      'Host pve\n ProxyJump inner\nHost inner\n ProxyJump outer:2022\nHost outer\n ProxyJump pve\n',
    );
    expect(resolve({}).jumps).toMatchObject([
      { host: 'outer', port: 2022, username: 'me' },
      { host: 'inner', port: 22 },
    ]);
  });
  test('none means none', () => {
    put('config', 'Host pve\n ProxyJump bastion\n');
    expect(resolve({ SSH_JUMP: 'none' }).jumps).toEqual([]);
  });
  test('ProxyCommand is not run, and that is said', () => {
    put('config', `Host pve\n ProxyCommand touch ${home}/ran\n`);
    expect(resolve({}).jumps).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('ProxyCommand')]);
  });
});

describe('what a config file could do to us', () => {
  test('Match exec and name canonicalization run nothing', () => {
    const marker = path.join(home, 'ran');
    put('bin/nslookup', `#!/bin/sh\ntouch ${marker}\n`);
    fs.chmodSync(path.join(home, '.ssh', 'bin', 'nslookup'), 0o755);
    put(
      'config',
      `Match exec "touch ${marker}"\n Port 1\nHost pve\n CanonicalizeHostName yes\n CanonicalDomains example.com\n HostName 192.0.2.9\n`,
    );
    const before = process.env.PATH;
    process.env.PATH = `${path.join(home, '.ssh', 'bin')}:${before}`;
    try {
      expect(resolve({})).toMatchObject({ host: '192.0.2.9', port: 22 });
    } finally {
      process.env.PATH = before;
    }
    expect(fs.existsSync(marker)).toBe(false);
  });
  test('a file that cannot be parsed is ignored, and that is said', () => {
    put('config', 'Host pve\n HostName "192.0.2.9\n');
    expect(resolve({}).host).toBe('pve');
    expect(warnings).toEqual([expect.stringContaining('is ignored')]);
  });
  test('files that include each other end', () => {
    put('config', 'Include config\nHost pve\n Port 2200\n');
    expect(resolve({}).port).toBe(2200);
    expect(warnings[0]).toContain('too deeply');
  });
});

describe('Include', () => {
  test('takes patterns below ~/.ssh, in order', () => {
    put('config', 'Include conf.d/* missing\nHost pve\n Port 3\n User c\n');
    put('conf.d/10-a', 'Host pve\n HostName 192.0.2.3\n Port 1\n');
    put('conf.d/20-b', 'Host pve\n Port 2\n User b\n');
    expect(resolve({})).toMatchObject({ host: '192.0.2.3', port: 1, username: 'b' });
  });
  test('below a Host counts for that host only', () => {
    put('config', 'Host other\n Include more\nHost pve\n Include more\n User d\n');
    put('more', 'Port 7\nHost pve\n User e\nHost x\n HostName y\n');
    expect(resolve({})).toMatchObject({ port: 7, username: 'e', host: 'pve' });
    expect(resolve({ HOST: 'third' })).toMatchObject({ port: 22, username: 'root' });
  });
});
