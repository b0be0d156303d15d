import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../lib/errors.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { type HostEnvironment, systemSshDirOf } from './host-environment.ts';
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
  const systemSshDir = path.join(home, 'etc-ssh');
  const at: HostEnvironment = {
    platform: 'linux',
    env,
    home,
    cwd: home,
    username: 'me',
    systemSshDir,
    ...options,
  };
  const loaded = loadConfig({}, at);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return resolveSshTarget(loaded.config, at, (warning) => warnings.push(warning));
}

function systemFiles(): string[] {
  return ['ssh_known_hosts', 'ssh_known_hosts2'].map((name) => path.join(home, 'etc-ssh', name));
}

test('uses the defaults of OpenSSH and its own known_hosts file without ~/.ssh/config', () => {
  const own = path.join(home, '.config', 'proxmox-mcp', 'known_hosts');
  expect(resolve({})).toEqual({
    host: 'pve',
    port: 22,
    username: 'root',
    identityFiles: [],
    jumps: [],
    hostKeyPolicy: 'accept-new',
    knownHostsFiles: [
      path.join(home, '.ssh', 'known_hosts'),
      path.join(home, '.ssh', 'known_hosts2'),
      own,
      ...systemFiles(),
    ],
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
  test('sets address, port, user, keys and files', () => {
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
        ...systemFiles(),
      ],
    });
  });

  test('is overridden by explicit settings', () => {
    put('config', ALIAS);
    const named = put('mine', '-----BEGIN');
    const key = put('id_pve');
    expect(
      resolve({ SSH_PORT: '22', SSH_USERNAME: 'root', SSH_KEY: named, SSH_KNOWN_HOSTS: '~/kh' }),
    ).toMatchObject({
      port: 22,
      username: 'root',
      identityFiles: [named, key],
      knownHostsFiles: [path.join(home, 'kh'), ...systemFiles()],
      knownHostsWriteFile: path.join(home, 'kh'),
    });
  });

  test('is parsed with keywords in any case and CRLF line ends', () => {
    put('config', 'host pve\r\n\thostname=192.0.2.8\r\n\tUSER "joe"\r\n');
    expect(resolve({})).toMatchObject({ host: '192.0.2.8', username: 'joe' });
  });
});

describe('keys', () => {
  test('default to the usual files', () => {
    const rsa = put('id_rsa');
    const ed = put('id_ed25519');
    expect(resolve({}).identityFiles).toEqual([ed, rsa]);
    const named = put('mine', '-----BEGIN');
    expect(resolve({ SSH_KEY: named }).identityFiles).toEqual([named]);
  });
  test('include a file of which only the public half exists, for a key in the agent', () => {
    put('config', 'Host pve\n IdentityFile ~/.ssh/token\n');
    put('token.pub', 'ssh-ed25519 AAAA');
    expect(resolve({}).identityFiles).toEqual([path.join(home, '.ssh', 'token')]);
  });
  test('come with the password and the passphrase', () => {
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
  ])('follows IdentityAgent %s', (value, expected) => {
    put('config', `Host pve\n IdentityAgent ${value}\n`);
    expect(resolve({ SSH_AUTH_SOCK: '/run/agent', MY_AGENT: '/run/mine' }).agent).toBe(expected());
  });
});

describe('jump hosts', () => {
  test('accept aliases, IPv6 addresses and their own keys, and never get the password', () => {
    put('config', 'Host bastion\n HostName 192.0.2.1\n User hop\n IdentityFile ~/.ssh/id_hop\n');
    const key = put('id_hop');
    const target = resolve({ SSH_JUMP: 'bastion,joe@[2001:db8::5]:2222', SSH_PASSWORD: 'secret' });
    expect(target.jumps).toMatchObject([
      { host: '192.0.2.1', username: 'hop', port: 22, identityFiles: [key], jumps: [] },
      { host: '2001:db8::5', username: 'joe', port: 2222, jumps: [] },
    ]);
    expect(JSON.stringify(target.jumps)).not.toContain('secret');
  });
  test('come from ProxyJump, recursively for the first one', () => {
    put(
      'config',
      'Host pve\n ProxyJump inner\nHost inner\n ProxyJump outer:2022\nHost outer\n ProxyJump pve\n',
    );
    expect(resolve({}).jumps).toMatchObject([
      { host: 'outer', port: 2022, username: 'me' },
      { host: 'inner', port: 22 },
    ]);
  });
  test('are disabled by SSH_JUMP=none', () => {
    put('config', 'Host pve\n ProxyJump bastion\n');
    expect(resolve({ SSH_JUMP: 'none' }).jumps).toEqual([]);
  });
  test('expand %r and the other tokens of ProxyJump', () => {
    put('config', 'Host pve\n User joe\n ProxyJump %r@bastion\n');
    expect(resolve({}).jumps).toMatchObject([{ host: 'bastion', username: 'joe' }]);
  });
  test('are refused when ProxyJump is not a list of hosts', () => {
    put('config', 'Host pve\n ProxyJump "a b"\n');
    expect(refusal({}).message).toContain('ProxyJump');
  });
});

/** The error that refuses a host before anything connects. */
function refusal(settings: Record<string, string>): AppError {
  try {
    resolve(settings);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('ProxyCommand', () => {
  const hop = { host: '192.0.2.1', port: 22, username: 'me' };
  const BASTION = 'Host bastion\n HostName 192.0.2.1\n';
  const to = (command: string) =>
    `Host pve\n HostName 192.0.2.9\n User joe\n ProxyCommand ${command}\n${BASTION}`;

  test.each([
    ['ssh -W %h:%p bastion', {}],
    ['ssh -W [%h]:%p bastion', {}],
    ['ssh bastion -W %h:%p', {}],
    ['ssh -W192.0.2.9:22 bastion', {}],
    ['/usr/bin/ssh -q -W %h:%p bastion', {}],
    ['exec ssh -qaxW %h:%p bastion 2>/dev/null', {}],
    ['ssh -W %h:%p %r@bastion', { username: 'joe' }],
    ['ssh -W %h:%p -l %r bastion', { username: 'joe' }],
    ['ssh -p 2222 -W %h:%p admin@bastion', { username: 'admin', port: 2222 }],
    ['ssh -W %h:%p ssh://admin@bastion:2222', { username: 'admin', port: 2222 }],
    [
      'ssh -o Port=2222 -oUser=admin -o "StrictHostKeyChecking no" -W %h:%p bastion',
      { username: 'admin', port: 2222 },
    ],
    ['ssh -F none -W %h:%p bastion', undefined],
    ['"ssh" -W "%h:%p" \'bastion\'', {}],
    ['ssh bastion nc %h %p', {}],
    ['ssh -q bastion nc -w 10 %h %p 2> /dev/null', {}],
    ['ssh bastion exec /bin/netcat -q0 %h %p', {}],
    ['ssh bastion "nc %h %p"', {}],
  ])('%s is translated to a jump host', (command, found) => {
    put('config', to(command));
    if (found === undefined) expect(refusal({}).code).toBe('SSH_UNREACHABLE');
    else expect(resolve({}).jumps).toEqual([expect.objectContaining({ ...hop, ...found })]);
  });

  test('passes the key of -i and the hops of -J to the jump host', () => {
    const key = put('id_hop');
    put('config', to('ssh -i ~/.ssh/id_hop -J outer:2022,inner -W %h:%p bastion'));
    expect(resolve({}).jumps).toMatchObject([
      { host: 'outer', port: 2022 },
      { host: 'inner' },
      { host: '192.0.2.1', identityFiles: [key] },
    ]);
  });

  test('accepts an IPv6 address, and ssh.exe on Windows', () => {
    put(
      'config',
      'Host pve\n ProxyCommand C:\\Windows\\System32\\OpenSSH\\ssh.exe -W %h:%p joe@2001:db8::1\n',
    );
    const { jumps } = resolve({}, { platform: 'win32' });
    expect(jumps).toMatchObject([{ host: '2001:db8::1', username: 'joe' }]);
  });

  test('below Host * does not apply to the jump host itself', () => {
    put('config', `Host *\n ProxyCommand ssh -W %h:%p bastion\n`);
    expect(resolve({}).jumps).toMatchObject([{ host: 'bastion', jumps: [] }]);
  });

  test.each([
    ['nc -X 5 -x proxy:1080 %h %p', 'nc'],
    ['cloudflared access ssh --hostname %h', 'cloudflared'],
    ['"C:\\Program Files\\cloudflared.exe" access ssh --hostname %h', 'cloudflared'],
    ['sh -c "aws ssm start-session --target %h --token hunter2"', 'sh'],
    ['ssh bastion', 'ssh'],
    ['ssh -W other:%p bastion', 'ssh'],
    ['ssh -W %h:2222 bastion', 'ssh'],
    ['ssh -W %h:%p', 'ssh'],
    ['ssh -o ProxyCommand=x -W %h:%p bastion', 'ssh'],
    ['ssh -o HostName=elsewhere -W %h:%p bastion', 'ssh'],
    ['ssh -W %h:%p bastion; touch ran', 'ssh'],
    ['ssh -W %h:%p $(touch ran)', 'ssh'],
    ['ssh bastion nc -l %p', 'ssh'],
    ['ssh bastion nc %h %p -e /bin/sh', 'ssh'],
    ['ssh bastion socat - TCP:%h:%p', 'ssh'],
    ['sshuttle -W %h:%p bastion', 'sshuttle'],
  ])('refuses %s', (command, program) => {
    put('config', to(command));
    const error = refusal({ SSH_PASSWORD: 'p' });
    expect(error.code).toBe('SSH_UNREACHABLE');
    expect(error.message).toContain(`pve is reached by a ProxyCommand (${program})`);
    expect(error.message).not.toContain('hunter2');
    expect(error.hint).toContain('SSH_JUMP=none');
    expect(resolve({ SSH_JUMP: 'none' }).jumps).toEqual([]);
    expect(resolve({ SSH_JUMP: 'bastion' }).jumps).toMatchObject([{ host: '192.0.2.1' }]);
  });

  test('is ignored for sss_ssh_knownhostsproxy of FreeIPA', () => {
    put('../etc-ssh/ssh_config', 'ProxyCommand /usr/bin/sss_ssh_knownhostsproxy -p %p %h\n');
    expect(resolve({}).jumps).toEqual([]);
  });

  test('is refused for a jump host, too', () => {
    put('config', 'Host pve\n ProxyJump bastion\nHost bastion\n ProxyCommand corkscrew proxy 80 %h %p\n');
    expect(refusal({}).message).toContain('bastion is reached by a ProxyCommand (corkscrew)');
    expect(refusal({ SSH_JUMP: 'bastion' }).message).toContain('bastion is reached');
  });

  test('in the system-wide ssh_config is refused, too', () => {
    put('../etc-ssh/ssh_config', 'Include ssh_config.d/*\n');
    put('../etc-ssh/ssh_config.d/10', 'Host *\n ProxyCommand corkscrew proxy 80 %h %p\n');
    expect(refusal({}).message).toContain('corkscrew');
  });

  test.each([
    ['Match host pve exec "true"\n ProxyJump bastion\n'],
    ['Match exec "true" host pve\n ProxyCommand ssh -W %h:%p bastion\n'],
    ['Match host pve !exec "true"\n ProxyJump bastion\n'],
    ['Match exec "true"\n ProxyJump none\nHost pve\n ProxyJump bastion\n'],
  ])('is refused when it depends on Match exec: %j', (text) => {
    put('config', text);
    expect(refusal({}).message).toContain('Match exec');
    expect(resolve({ SSH_JUMP: 'none' }).jumps).toEqual([]);
  });

  test.each([
    ['Match host other exec "true"\n ProxyJump bastion\n'],
    ['Match host pve exec "true"\n User joe\n'],
    ['Host pve\n ProxyJump none\nMatch exec "true"\n ProxyJump bastion\n'],
  ])('is accepted when it does not depend on Match exec: %j', (text) => {
    put('config', text);
    expect(resolve({}).jumps).toEqual([]);
  });

  test('yields to an earlier ProxyJump and vice versa; none disables both', () => {
    const two = (one: string, other: string) => {
      put('config', `Host pve\n ${one}\nHost p*\n ${other}\n`);
      return resolve({}).jumps;
    };
    expect(two('ProxyJump a', 'ProxyCommand nc %h %p')).toMatchObject([{ host: 'a' }]);
    expect(two('ProxyCommand ssh -W %h:%p a', 'ProxyJump b')).toMatchObject([{ host: 'a' }]);
    expect(two('ProxyCommand none', 'ProxyJump b')).toEqual([]);
    expect(two('ProxyJump none', 'ProxyCommand nc %h %p')).toEqual([]);
    expect(two('ProxyCommand NONE', 'Port 22')).toEqual([]);
  });
});

test('reads a config file in UTF-16', () => {
  const file = put('config');
  fs.writeFileSync(file, Buffer.from('\uFEFFHost pve\r\n HostName 192.0.2.9\r\n', 'utf16le'));
  expect(resolve({}).host).toBe('192.0.2.9');
});

test('reads the system-wide ssh_config after that of the user', () => {
  put('config', 'Host pve\n Port 2200\n');
  put('../etc-ssh/ssh_config', 'Port 22\nHost pve\n HostName 192.0.2.9\n');
  expect(resolve({})).toMatchObject({ host: '192.0.2.9', port: 2200 });
});

test('finds the system-wide directory of OpenSSH', () => {
  const at = { env: { PROGRAMDATA: 'D:\\Data' }, home: '/', cwd: '/', username: 'me' };
  expect(systemSshDirOf({ ...at, platform: 'win32' })).toBe('D:\\Data\\ssh');
  expect(systemSshDirOf({ ...at, env: {}, platform: 'win32' })).toBe('C:\\ProgramData\\ssh');
  expect(systemSshDirOf({ ...at, platform: 'darwin' })).toBe('/etc/ssh');
});

describe('a hostile config file', () => {
  test('runs no command by Match exec or name canonicalization', () => {
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
  test('is ignored with a warning when it cannot be parsed', () => {
    put('config', 'Host pve\n HostName "192.0.2.9\n');
    expect(resolve({}).host).toBe('pve');
    expect(warnings).toEqual([expect.stringContaining('is ignored')]);
  });
  test('ends recursive includes with a warning', () => {
    put('config', 'Include config\nHost pve\n Port 2200\n');
    expect(resolve({}).port).toBe(2200);
    expect(warnings[0]).toContain('too deeply');
  });
});

describe('Include', () => {
  test('expands patterns below ~/.ssh, in order', () => {
    put('config', 'Include conf.d/* missing\nHost pve\n Port 3\n User c\n');
    put('conf.d/10-a', 'Host pve\n HostName 192.0.2.3\n Port 1\n');
    put('conf.d/20-b', 'Host pve\n Port 2\n User b\n');
    expect(resolve({})).toMatchObject({ host: '192.0.2.3', port: 1, username: 'b' });
  });
  test('below a Host applies to that host only', () => {
    put('config', 'Host other\n Include more\nHost pve\n Include more\n User d\n');
    put('more', 'Port 7\nHost pve\n User e\nHost x\n HostName y\n');
    expect(resolve({})).toMatchObject({ port: 7, username: 'e', host: 'pve' });
    expect(resolve({ HOST: 'third' })).toMatchObject({ port: 22, username: 'root' });
  });
});
