import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addressesOf } from './address-formats.ts';
import type { HostEnvironment } from './host-environment.ts';
import { type LoadInput, loadConfig } from './load.ts';
import type { Config } from './settings-schema.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'config-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

let count = 0;
/** A fresh working directory with these files. */
function directory(files: Record<string, string> = {}): string {
  const dir = path.join(root, `d${count++}`);
  fs.mkdirSync(dir);
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), content);
  return dir;
}

function at(env: Record<string, string>, cwd = directory()): HostEnvironment {
  return { platform: process.platform, env, home: path.join(root, 'home'), cwd, username: 'me' };
}

const ENOUGH = { I_ACCEPT_RISKS: 'true', HOST: '192.0.2.10' };

function load(env: Record<string, string>, input: LoadInput = {}, cwd?: string): Config {
  const result = loadConfig(input, at({ ...ENOUGH, ...env }, cwd));
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.config;
}

function errorsOf(env: Record<string, string>, input: LoadInput = {}, cwd?: string): Record<string, string> {
  const result = loadConfig(input, at(env, cwd));
  if (result.ok) throw new Error('expected errors');
  for (const error of result.errors) expect(error.remedy).toMatch(/^[A-Z].*\.$/);
  return Object.fromEntries(result.errors.map((error) => [error.name, error.problem]));
}

test('defaults', () => {
  const cwd = directory();
  expect(load({}, {}, cwd)).toEqual({
    acceptRisks: true,
    filesRead: [],
    host: '192.0.2.10',
    sshPort: undefined,
    sshUsername: undefined,
    sshPassword: undefined,
    sshKey: undefined,
    sshKeyPassphrase: undefined,
    sshJump: undefined,
    sshKnownHosts: undefined,
    sshHostKeyPolicy: 'accept-new',
    sudo: undefined,
    execMethod: 'auto',
    enableHostExec: false,
    allowSelf: false,
    characterLimit: 25000,
    waitLimit: undefined,
    jobOutputLimit: 67108864,
    maxFileSize: 10485760,
    transferDirs: undefined,
    toolsets: ['core', 'inspect', 'fleet', 'files', 'jobs'],
    readOnly: false,
    logLevel: 'info',
    http: false,
    serverHost: '127.0.0.1',
    serverPort: 8000,
    httpAuth: true,
    httpToken: undefined,
    httpTokens: undefined,
    oauthIssuer: undefined,
    oauthAudience: undefined,
    oauthScopePrefix: 'proxmox:',
    publicUrl: undefined,
    allowedHosts: undefined,
    allowedOrigins: undefined,
    httpTlsCert: undefined,
    httpTlsKey: undefined,
    behindProxy: false,
    rateLimit: 1000,
    maxConcurrent: 256,
    maxConnections: 1024,
    maxSessions: 1000,
    sessionIdle: 1800,
    requestTimeout: 30,
    redactForms: true,
    stateDir: path.join(root, 'home/.local/state/proxmox-mcp'),
    stateKey: undefined,
    audit: true,
    auditDir: undefined,
    auditKey: undefined,
    policy: undefined,
    policyFile: undefined,
    protectedTag: 'protected',
    approvals: undefined,
    approvalTtl: 600,
    confirmTimeout: 45,
  });
});

test('prefers flags to the environment, the environment to the file, and the file to defaults', () => {
  const cwd = directory({ 'my.env': 'SSH_PORT=1\nCHARACTER_LIMIT=1001\nMAX_FILE_SIZE=11\n' });
  const env = { SSH_PORT: '2', CHARACTER_LIMIT: '1002' };
  const config = load(env, { flags: { sshPort: '3' }, envFile: 'my.env' }, cwd);
  expect(config).toMatchObject({ sshPort: 3, characterLimit: 1002, maxFileSize: 11, logLevel: 'info' });
});

test('treats an empty value as unset in every source, and reads the next source', () => {
  const cwd = directory({ 'my.env': 'SSH_PORT=2222\nLOG_LEVEL=\nHOST=""\n' });
  const config = load({ SSH_PORT: '  ', LOG_LEVEL: '' }, { flags: { sshPort: '' }, envFile: 'my.env' }, cwd);
  expect(config).toMatchObject({ sshPort: 2222, logLevel: 'info', host: '192.0.2.10' });
});

test('reads a file with CRLF line ends and a byte order mark', () => {
  const cwd = directory({ 'my.env': '\uFEFFHOST=pve1\r\nSSH_PORT=2222\r\nSSH_USERNAME="admin"\r\n' });
  const config = load({ HOST: '' }, { envFile: 'my.env' }, cwd);
  expect(config).toMatchObject({ host: 'pve1', sshPort: 2222, sshUsername: 'admin' });
});

test('reads env files and secret files that PowerShell wrote in UTF-16', () => {
  const cwd = directory();
  const little = (text: string) => Buffer.from(text, 'utf16le');
  const put = (name: string, bytes: Buffer) => fs.writeFileSync(path.join(cwd, name), bytes);
  put('.env', little('\uFEFFHOST=pve1\r\nSSH_PORT=2222\r\n'));
  put('big', little('\uFEFFgrün\r\n').swap16());
  put('bare', little(`${TOKEN}\r\n`));
  const env = { HOST: '', SSH_PASSWORD_FILE: 'big', HTTP_TOKEN_FILE: 'bare' };
  expect(load(env, {}, cwd)).toMatchObject({
    host: 'pve1',
    sshPort: 2222,
    sshPassword: 'grün',
    httpToken: TOKEN,
  });
  put('.env', Buffer.concat([Buffer.from('HOST=pve2\n'), little('SSH_PORT=2223\r\n')]));
  expect(load({ HOST: '' }, {}, cwd)).toMatchObject({ host: 'pve2', sshPort: 2223 });
});

const TOKEN = 'a-token-of-the-tests-0123456789abcdefghij';

test('warns of ENABLE_HOST_EXEC on a Proxmox VE node', () => {
  const warningsOn = (clusterDir: string, env: Record<string, string>) =>
    loadConfig({}, { ...at({ ...ENOUGH, ...env }), platform: 'linux', clusterDir }).warnings;
  const node = directory({ local: '' });
  const told = expect.stringMatching(/^ENABLE_HOST_EXEC=true on a Proxmox VE node itself/);
  expect(warningsOn(node, { ENABLE_HOST_EXEC: 'true' })).toEqual([told]);
  expect(warningsOn(node, {})).toEqual([]);
  expect(warningsOn(directory(), { ENABLE_HOST_EXEC: 'true' })).toEqual([]);
});

describe('.env of the working directory', () => {
  const cwd = directory({ '.env': 'HOST=elsewhere\nI_ACCEPT_RISKS=true\nENABLE_HOST_EXEC=true\n' });

  test('is read when no other source sets HOST', () => {
    expect(load({ HOST: '', I_ACCEPT_RISKS: '' }, {}, cwd)).toMatchObject({
      host: 'elsewhere',
      enableHostExec: true,
    });
  });
  test('is ignored when the environment sets HOST', () => {
    expect(load({}, {}, cwd)).toMatchObject({ host: '192.0.2.10', enableHostExec: false });
  });
  test('is ignored when a flag sets HOST', () => {
    const config = load({ HOST: '' }, { flags: { host: 'flagged' } }, cwd);
    expect(config).toMatchObject({ host: 'flagged', enableHostExec: false });
  });
  test('is overridden by the file in --config', () => {
    fs.writeFileSync(path.join(cwd, 'other.env'), 'HOST=other\n');
    expect(load({ HOST: '' }, { envFile: 'other.env' }, cwd)).toMatchObject({
      host: 'other',
      enableHostExec: false,
    });
  });
});

describe('config.env', () => {
  const home = directory();
  const file = path.join(home, '.config/proxmox-mcp/config.env');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'PROXMOX_HOST=own\nI_ACCEPT_RISKS=true\nSSH_PORT=2222\n');
  const cwd = directory({ '.env': 'HOST=stranger\nENABLE_HOST_EXEC=true\n' });
  const loadAtHome = (env: Record<string, string> = {}, input: LoadInput = {}) =>
    loadConfig(input, { ...at(env, cwd), home });

  test('is read from any working directory, and replaces its .env', () => {
    expect(loadAtHome()).toMatchObject({
      ok: true,
      file,
      config: { host: 'own', enableHostExec: false, filesRead: [file] },
    });
  });
  test('is read from XDG_CONFIG_HOME', () => {
    expect(loadAtHome({ XDG_CONFIG_HOME: path.join(home, 'elsewhere') })).toMatchObject({
      file: path.join(cwd, '.env'),
    });
  });
  test('is overridden by the environment and replaced by --config', () => {
    expect(loadAtHome({ PROXMOX_HOST: 'other', SSH_PORT: '23' })).toMatchObject({
      config: { host: 'other', sshPort: 23 },
    });
    expect(loadAtHome({ I_ACCEPT_RISKS: '1' }, { envFile: '.env' })).toMatchObject({
      config: { host: 'stranger', sshPort: undefined },
    });
  });
  test('keeps its PROXMOX_HOST despite HOST in the environment, with a warning', () => {
    expect(loadAtHome({ HOST: 'mybox' })).toMatchObject({
      config: { host: 'own' },
      warnings: [expect.stringContaining('HOST=mybox (environment) is ignored')],
    });
    expect(loadAtHome({ HOST: 'x86_64-conda-linux-gnu' })).toMatchObject({ warnings: [] });
  });
  test('loses its HOST to HOST in the environment, with a warning', () => {
    const named = { envFile: 'old.env' };
    fs.writeFileSync(path.join(cwd, 'old.env'), 'HOST=own\nI_ACCEPT_RISKS=true\n');
    expect(loadAtHome({ HOST: 'mybox' }, named)).toMatchObject({
      config: { host: 'mybox' },
      warnings: [expect.stringContaining('overrides HOST=own')],
    });
    expect(loadAtHome({ HOST: 'own' }, named)).toMatchObject({ warnings: [] });
  });
  test('is a configuration error when it cannot be read', () => {
    const locked = directory();
    fs.mkdirSync(path.join(locked, '.config/proxmox-mcp/config.env'), { recursive: true });
    expect(loadConfig({}, { ...at(ENOUGH), home: locked })).toMatchObject({
      ok: false,
      errors: [{ name: 'config.env', problem: expect.stringContaining('is a directory') }],
    });
  });
  test('that cannot be read causes no errors about settings that it may contain', () => {
    const loaded = loadConfig({ envFile: 'none.env' }, at({ SSH_PORT: 'x' }, directory()));
    expect(loaded).toMatchObject({ ok: false, errors: [{ name: '--config' }, { name: 'SSH_PORT' }] });
  });
});

test('warns of a .env that is ignored because HOST is set elsewhere', () => {
  const cwd = directory({ '.env': 'HOST=elsewhere\n' });
  expect(loadConfig({}, at({ ...ENOUGH, HOST: 'mybox' }, cwd)).warnings).toEqual([
    'the .env in the working directory is ignored: HOST in the environment already sets the node',
  ]);
});

test.each([
  ['30', 30],
  ['90s', 90],
  ['10m', 600],
  ['2H', 7200],
])('reads the duration %s as %i seconds', (value, seconds) => {
  expect(load({ SESSION_IDLE: value })).toMatchObject({ sessionIdle: seconds });
});

test.each([
  ['1048576', 2 ** 20],
  ['100k', 102_400],
  ['100M', 100 * 2 ** 20],
  ['1GiB', 2 ** 30],
  ['2 gb', 2 ** 31],
])('reads the size %s as %i bytes', (value, bytes) => {
  expect(load({ MAX_FILE_SIZE: value })).toMatchObject({ maxFileSize: bytes });
});

test.each(['0s', '1x', '1.5m', '-3', '400h'])('rejects %s as a session lifetime', (value) => {
  expect(errorsOf({ ...ENOUGH, SESSION_IDLE: value }).SESSION_IDLE).toContain('is not a duration from 1s to');
});

test('accepts retired settings without effect, with a warning', () => {
  const flags = { SHUTDOWN_GRACE: '3' };
  expect(loadConfig({ flags }, at({ ...ENOUGH, HTTP_SHOW_TOKEN: 'false' }))).toMatchObject({
    ok: true,
    warnings: [
      expect.stringContaining('--shutdown-grace no longer has any effect'),
      expect.stringContaining('HTTP_SHOW_TOKEN (environment) no longer has any effect'),
    ],
  });
});

test('rejects a missing configuration file that was named', () => {
  expect(errorsOf(ENOUGH, { envFile: 'nowhere.env' })).toEqual({
    '--config': expect.stringContaining('nowhere.env does not exist'),
  });
});

test('reports all errors at once', () => {
  const errors = errorsOf({
    SSH_PORT: '0x16',
    SSH_KEY: '~/nokey',
    SUDO: 'perhaps',
    CHARACTER_LIMIT: '1e4',
    TRANSFER_DIRS: '/does/not/exist',
    LOG_LEVEL: 'loud',
    SSH_JUMP: 'a,,b',
  });
  expect(errors).toEqual({
    I_ACCEPT_RISKS: 'I_ACCEPT_RISKS is not set',
    PROXMOX_HOST: 'PROXMOX_HOST is not set',
    SSH_PORT: 'SSH_PORT=0x16 (environment) is not a whole number from 1 to 65535',
    SSH_KEY: expect.stringContaining('nokey does not exist'),
    SUDO: expect.stringContaining('neither true nor false'),
    CHARACTER_LIMIT: expect.stringContaining('is not a whole number'),
    TRANSFER_DIRS: expect.stringContaining('contains a path that is not a directory: /does/not/exist'),
    LOG_LEVEL: expect.stringContaining('is not one of'),
    SSH_JUMP: expect.stringContaining('is not a list of'),
  });
});

test('begins with the node and `init` if nothing is set', () => {
  const loaded = loadConfig({}, at({}));
  expect(loaded).toMatchObject({
    ok: false,
    errors: [
      { name: 'PROXMOX_HOST', remedy: expect.stringContaining('proxmox-mcp init') },
      { name: 'I_ACCEPT_RISKS' },
    ],
  });
});

test('names the source of an invalid value', () => {
  expect(errorsOf(ENOUGH, { flags: { sshPort: '70000' } })).toEqual({
    '--ssh-port': '--ssh-port=70000 (command line) is not a whole number from 1 to 65535',
  });
});

test.each(['true', 'TRUE', '1', 'yes', 'On', ' true '])('reads %j as true', (value) => {
  expect(load({ READ_ONLY: value }).readOnly).toBe(true);
});

test.each(['false', 'False', '0', 'NO', 'off'])('reads %j as false', (value) => {
  expect(load({ READ_ONLY: value }).readOnly).toBe(false);
});

test.each(['no', 'maybe', ''])('does not accept I_ACCEPT_RISKS=%j as consent', (value) => {
  expect(errorsOf({ ...ENOUGH, I_ACCEPT_RISKS: value })).toHaveProperty('I_ACCEPT_RISKS');
});

test.each([
  ['https://192.0.2.10:8006', 'is a URL'],
  ['root@192.0.2.10', 'contains a user name'],
  ['192.0.2.10:0', 'is not an address'],
  ['-oProxyCommand=x', 'is not an address'],
  ['a b', 'is not an address'],
])('rejects HOST=%s: %s', (value, problem) => {
  expect(errorsOf({ ...ENOUGH, HOST: value }).HOST).toContain(problem);
});

test.each([
  ['root@pam', 'without the realm: root'],
  ['admin@pve', 'such as root'],
])('names the Linux user for SSH_USERNAME=%s', (value, remedy) => {
  const loaded = loadConfig({}, at({ ...ENOUGH, SSH_USERNAME: value }));
  expect(loaded).toMatchObject({
    ok: false,
    errors: [{ name: 'SSH_USERNAME', remedy: expect.stringContaining(remedy) }],
  });
});

test('explains a path that double quotes in an env file have changed', () => {
  const cwd = directory({ 'my.env': 'SSH_KEY="C:\\Users\\nick\\key"\n' });
  expect(loadConfig({ envFile: 'my.env' }, at(ENOUGH, cwd))).toMatchObject({
    ok: false,
    errors: [{ name: 'SSH_KEY', remedy: expect.stringContaining('use single quotes') }],
  });
});

test('explains a Windows path on another system', () => {
  const loaded = loadConfig({}, at({ ...ENOUGH, SSH_KEY: 'C:\\Users\\me\\.ssh\\id_ed25519' }));
  expect(loaded).toMatchObject({
    ok: false,
    errors: [{ name: 'SSH_KEY', remedy: expect.stringContaining('/mnt/c/Users') }],
  });
});

test.each([
  ['2001:db8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['pve-1.example.com', 'pve-1.example.com'],
])('reads HOST=%s as %s', (value, host) => {
  expect(load({ HOST: value }).host).toBe(host);
});

test.each([
  ['192.0.2.10:2222', { host: '192.0.2.10', port: 2222 }],
  ['[2001:db8::1]:2222', { host: '2001:db8::1', port: 2222 }],
])('HOST=%s is an address with a port', (value, address) => {
  expect(addressesOf(load({ HOST: value }).host)).toEqual([address]);
});

test('SERVER_HOST with a port names the setting of that port', () => {
  const loaded = loadConfig({}, at({ ...ENOUGH, SERVER_HOST: '192.0.2.20:8000' }));
  expect(loaded).toMatchObject({
    errors: [{ name: 'SERVER_HOST', remedy: expect.stringContaining('SERVER_PORT') }],
  });
});

test.each(['AUDIT', 'ENABLE_HOST_EXEC', 'ALLOW_SELF', 'HTTP_AUTH'])(
  'the remedy of an invalid %s does not suggest one value',
  (name) => {
    const loaded = loadConfig({}, at({ ...ENOUGH, [name]: 'maybe' }));
    expect(loaded).toMatchObject({
      errors: [{ name, remedy: expect.stringContaining(`${name}=true or false`) }],
    });
  },
);

describe('several nodes', () => {
  test.each([
    ['192.0.2.1,192.0.2.2', [{ host: '192.0.2.1' }, { host: '192.0.2.2' }]],
    ['pve1 , [2001:db8::1]:2222', [{ host: 'pve1' }, { host: '2001:db8::1', port: 2222 }]],
    ['2001:db8::1,192.0.2.2:23', [{ host: '2001:db8::1' }, { host: '192.0.2.2', port: 23 }]],
  ])('HOST=%s is a list', (value, addresses) => {
    expect(addressesOf(load({ HOST: value }).host)).toEqual(addresses);
  });

  test.each(['pve1,', 'pve1,me@pve2', 'pve1,https://pve2:8006/', 'pve1,pve2:99999', 'pve1,-o x'])(
    'HOST=%s is rejected',
    (value) => {
      expect(errorsOf({ ...ENOUGH, HOST: value }).HOST).toBeDefined();
    },
  );

  test('NODE_ADDRESSES has an address for each node, with an optional port', () => {
    expect([
      ...(load({ NODE_ADDRESSES: 'pve2=192.0.2.2, pve-3=[2001:db8::3]:2222' }).nodeAddresses ?? []),
    ]).toEqual([
      ['pve2', { host: '192.0.2.2' }],
      ['pve-3', { host: '2001:db8::3', port: 2222 }],
    ]);
  });

  test.each(['pve2', 'pve2=', '=192.0.2.2', 'pve2=a,pve2=b', 'pve2=me@h', 'p e=192.0.2.2'])(
    'NODE_ADDRESSES=%s is rejected',
    (value) => {
      expect(errorsOf({ ...ENOUGH, NODE_ADDRESSES: value }).NODE_ADDRESSES).toContain('NODE=ADDRESS');
    },
  );
});

test('accepts users, ports and bracketed IPv6 addresses in SSH_JUMP', () => {
  expect(load({ SSH_JUMP: 'me@[2001:db8::5]:2222, bastion,ssh://other:23' }).sshJump).toEqual([
    { host: '2001:db8::5', username: 'me', port: 2222 },
    { host: 'bastion' },
    { host: 'other', port: 23 },
  ]);
  expect(load({ SSH_JUMP: 'none' }).sshJump).toEqual([]);
});

describe('SSH_KEY', () => {
  const cwd = directory({
    id: '-----BEGIN OPENSSH PRIVATE KEY-----\n',
    'id.pub': 'ssh-ed25519 AAAA me\n',
  });
  test('is made absolute', () => {
    expect(load({ SSH_KEY: 'id' }, {}, cwd).sshKey).toBe(path.join(cwd, 'id'));
  });
  test('refuses a public key', () => {
    expect(errorsOf({ ...ENOUGH, SSH_KEY: 'id.pub' }, {}, cwd).SSH_KEY).toContain('is a public key');
  });
  test('refuses a pasted key without repeating it', () => {
    const { SSH_KEY } = errorsOf({ ...ENOUGH, SSH_KEY: '-----BEGIN RSA PRIVATE KEY-----\nTOPSECRET' });
    expect(SSH_KEY).toBe('SSH_KEY (environment) contains the key itself');
  });
});

describe('secrets', () => {
  const cwd = directory({ pass: 'hunter2 \r\n', empty: '\n' });
  test('are read from NAME_FILE without the line end', () => {
    expect(load({ SSH_PASSWORD_FILE: 'pass' }, {}, cwd).sshPassword).toBe('hunter2 ');
  });
  test('are not trimmed', () => {
    expect(load({ SSH_PASSWORD: ' x ' }).sshPassword).toBe(' x ');
  });
  test('in both forms in one source are an error', () => {
    const errors = errorsOf({ ...ENOUGH, SSH_PASSWORD: 'x', SSH_PASSWORD_FILE: 'pass' }, {}, cwd);
    expect(errors).toEqual({ SSH_PASSWORD: 'SSH_PASSWORD and SSH_PASSWORD_FILE are both set (environment)' });
  });
  test('in both forms in different sources follow the order of the sources', () => {
    fs.writeFileSync(path.join(cwd, 'my.env'), 'SSH_PASSWORD=fromfile\n');
    expect(load({ SSH_PASSWORD_FILE: 'pass' }, { envFile: 'my.env' }, cwd).sshPassword).toBe('hunter2 ');
  });
  test('in a missing or empty file are an error', () => {
    const errors = errorsOf(
      { ...ENOUGH, SSH_PASSWORD_FILE: 'none', SSH_KEY_PASSPHRASE_FILE: 'empty' },
      {},
      cwd,
    );
    expect(errors.SSH_PASSWORD_FILE).toContain('does not exist');
    expect(errors.SSH_KEY_PASSPHRASE_FILE).toContain('is an empty file');
  });
});

describe('warnings', () => {
  test('report that audit logging is off', () => {
    expect(warningsFor('AUDIT=false\n')).toEqual([expect.stringContaining('NOTHING')]);
    expect(warningsFor('AUDIT=true\n')).toEqual([]);
  });

  const warningsFor = (content: string, env: Record<string, string> = {}) =>
    loadConfig({ envFile: '.env' }, at({ ...ENOUGH, ...env }, directory({ '.env': content }))).warnings;

  test.each([
    ['SSH_PASSWROD', 'SSH_PASSWORD'],
    ['SSH_USER', 'SSH_USERNAME'],
    ['PROXMOX_USER', 'SSH_USERNAME'],
    ['PROXMOX_PASSWORD', 'SSH_PASSWORD'],
    ['ENABLE_HOST_EXCE', 'ENABLE_HOST_EXEC'],
    ['ssh_port', 'SSH_PORT'],
    ['SSH_PASSWORD_FLIE', 'SSH_PASSWORD_FILE'],
  ])('suggest a name for %s: %s', (name, meant) => {
    expect(warningsFor(`${name}=x\n`)).toEqual([expect.stringContaining(`did you mean ${meant}?`)]);
  });
  test.each([
    ['READONLY', 'READ_ONLY'],
    ['read_only', 'READ_ONLY'],
    ['POLCY', 'POLICY'],
    ['POLCIY', 'POLICY'],
    ['PROTECTED_TAGS', 'PROTECTED_TAG'],
    ['APPROVAL', 'APPROVALS'],
    ['SSH_HOST_KEYPOLICY', 'SSH_HOST_KEY_POLICY'],
  ])('do not cover %s, a misspelling of the restricting setting %s, which stops the start', (name, meant) => {
    for (const [env, file] of [[{ [name]: 'x' }, ''] as const, [{}, `${name}=x\n`] as const]) {
      const loaded = loadConfig({ envFile: '.env' }, at({ ...ENOUGH, ...env }, directory({ '.env': file })));
      const error = { name, problem: expect.any(String), remedy: expect.stringContaining(meant) };
      expect(loaded).toMatchObject({ ok: false, errors: [error] });
    }
  });
  test('cover a name that only resembles a restricting setting', () => {
    expect(warningsFor('', { POLICY_NAME: 'x' })).toEqual([expect.stringContaining('POLICY_FILE')]);
  });
  test('ignore names of other programs in the same file', () => {
    expect(warningsFor('SERVER_PORT=8000\nPATH=/x\nCOMPOSE_PROJECT_NAME=a\nTZ=UTC\nMCP_TOKEN=x\n')).toEqual(
      [],
    );
  });
  test('report every unknown name in config.env, which is read by no other program', () => {
    const base = directory();
    const file = path.join(base, 'proxmox-mcp', 'config.env');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, 'SSH_AUTH_SOCK=/x\nSERVER_PORT=8000\n');
    const env = { ...ENOUGH, XDG_CONFIG_HOME: base, APPDATA: base };
    expect(loadConfig({}, at(env)).warnings).toEqual([
      expect.stringMatching(/^SSH_AUTH_SOCK \(.*config\.env\) is not a setting and is ignored$/),
    ]);
  });
  test('ignore the usual variables of a login session', () => {
    const names = ['HOME', 'HOSTNAME', 'HOSTTYPE', 'LOGNAME', 'SSH_TTY', 'SSH_CLIENT', 'SSH_CONNECTION'];
    const more = ['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'SSH_ASKPASS', 'SUDO_USER', 'SUDO_UID', 'SUDO_COMMAND'];
    expect(warningsFor('', Object.fromEntries([...names, ...more].map((name) => [name, 'x'])))).toEqual([]);
  });
  test('ignore a misspelling when the right name is also set', () => {
    expect(warningsFor('SSH_USER=x\nSSH_USERNAME=y\n')).toEqual([]);
  });
  test('report an unquoted # that truncates a password', () => {
    expect(warningsFor('SSH_PASSWORD=abc#def\n')).toEqual([expect.stringContaining('truncated at the #')]);
    expect(warningsFor('SSH_PASSWORD="abc#def"\nSSH_PORT=22 # a comment\n')).toEqual([]);
  });
});
