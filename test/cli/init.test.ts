import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { closedPort } from '../ports.ts';
import { describeRig } from '../rig/require.ts';
import type { Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { runCli, startCli } from './run.ts';

/** The settings that `init` writes, below the home directory. */
const CONFIG = '.config/proxmox-mcp/config.env';

/** Home and working directory of each test. */
let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-init-test-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const at = (file: string) => path.join(cwd, file);
const modeOf = async (file: string) => ((await stat(at(file))).mode & 0o777).toString(8);
/** Every file, including hidden ones. */
async function files(): Promise<string[]> {
  const entries = await readdir(cwd, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(cwd, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe('without a node', () => {
  test('requires a terminal for questions', async () => {
    const { code, stderr } = await runCli(['init'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
  });

  test('reports everything that --yes lacks at once', async () => {
    const { code, stderr } = await runCli(['init', '--yes', '--create-key'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('init cannot start: 4 settings need your attention');
    for (const name of ['I_ACCEPT_RISKS', 'HOST', '--level', '--create-key needs the password']) {
      expect(stderr).toContain(name);
    }
  });

  test.each([
    [['--level', 'red-only'], 'did you mean read-only?'],
    [['--client', 'claude-desktop,vs-code'], 'did you mean vscode?'],
  ])('rejects %j: %s', async (args, message) => {
    const { code, stderr } = await runCli(['init', '--yes', ...args], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('exits with 1 for an unreachable node, and writes nothing', async () => {
    const args = ['--ssh-host', '127.0.0.1', '--ssh-port', String(await closedPort()), '--i-accept-risks'];
    const { code, stderr } = await runCli(['init', '--yes', '--level', 'host', ...args], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('nothing was changed');
    expect(stderr).toContain('refused');
    expect(await files()).toEqual([]);
  });
});

describe('the policy in config.env', () => {
  const node = new SimulatedNode();
  beforeAll(() => node.start());
  afterAll(() => node.stop());
  const init = async (...args: readonly string[]) => {
    const { HOST = '', SSH_PORT = '', SSH_KEY = '' } = node.settings();
    const connection = ['--ssh-host', HOST, '--ssh-port', SSH_PORT, '--ssh-key', SSH_KEY];
    const trust = ['--ssh-host-key-policy', 'accept-new'];
    const { code, stdout, stderr } = await runCli(
      ['init', '--yes', '--i-accept-risks', ...connection, ...trust, ...args],
      { cwd },
    );
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    return readFile(at(CONFIG), 'utf8');
  };

  test('is careful unless another one is chosen', async () => {
    expect(await init('--level', 'containers')).toMatch(/^POLICY=careful$/m);
    // An earlier choice is kept.
    expect(await init('--level', 'containers', '--policy', 'standard')).toMatch(/^POLICY=standard$/m);
    expect(await init('--level', 'host')).toMatch(/^POLICY=standard$/m);
  });

  test('works with a key in the agent only, whose socket is in the client entry', async () => {
    const { HOST = '', SSH_PORT = '', SSH_KEY = '' } = node.settings();
    // A socket below /tmp counts as temporary: it may be gone after the next login.
    const home = await mkdtemp(path.join(homedir(), '.pmt-'));
    const socket = path.join(home, 'agent.sock');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(async () => {
      agent.kill();
      await rm(home, { recursive: true, force: true });
    });
    await until(() => existsSync(socket));
    execFileSync('ssh-add', ['-q', SSH_KEY], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    const connection = ['--ssh-host', HOST, '--ssh-port', SSH_PORT, '--ssh-host-key-policy', 'accept-new'];
    const env = { SSH_AUTH_SOCK: socket, XDG_CONFIG_HOME: at('moved') };
    const args = ['init', '--yes', '--i-accept-risks', '--level', 'read-only', ...connection];
    const { code, stdout, stderr } = await runCli([...args, '--client', 'claude-code'], { cwd, env });
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    // Only through the entry, in the environment that a client provides.
    expect(stdout).toContain('self-test passed');
    expect(parse(await readFile(at('.claude.json'), 'utf8')).mcpServers.proxmox.env).toEqual(env);
  });

  test('is absent for read-only, and for a policy file', async () => {
    expect(await init('--level', 'read-only')).not.toMatch(/^POLICY=/m);
    await writeFile(at('rules.yaml'), 'extends: standard\n');
    const env = await init('--level', 'containers', '--policy-file', 'rules.yaml');
    expect(env).toContain(`POLICY_FILE=${at('rules.yaml')}`);
    expect(env).not.toMatch(/^POLICY=/m);
  });
});

describe('init --yes', () => {
  let sim: Simulator;
  let hostKey = { fingerprint: '', line: '' };
  beforeAll(async () => {
    sim = await Simulator.start({});
    const line = (await readFile(sim.node().connection.knownHostsPath, 'utf8')).trim();
    const blob = Buffer.from(line.split(' ')[2] ?? '', 'base64');
    const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
    hostKey = { fingerprint: `SHA256:${hash}`, line };
  });
  afterAll(() => sim.stop());
  const base = () => {
    const { user, host, port } = sim.node().connection;
    return ['init', '--yes', '--i-accept-risks', `${user}@${host}:${port}`, '--level', 'containers'];
  };
  const right = () => ['--fingerprint', hostKey.fingerprint];
  const key = () => ['--ssh-key', sim.node().connection.keyPath];

  test('refuses an unknown host key, and shows how to accept it', async () => {
    const { code, stderr } = await runCli([...base(), ...key()], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain(`add --fingerprint ${hostKey.fingerprint}`);
    expect(await files()).toEqual([]);
  });

  test('refuses an unexpected host key, and does not suggest to accept it', async () => {
    const { code, stderr } = await runCli([...base(), ...key(), '--fingerprint', 'SHA256:wrong'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('--fingerprint expects SHA256:wrong.');
    expect(stderr).not.toContain('add --fingerprint');
    expect(await files()).toEqual([]);
  });

  test('reports a failed login as doctor does, and writes nothing', async () => {
    const env = { SSH_PASSWORD: 'wrong-secret' };
    const { code, stdout, stderr } = await runCli([...base(), ...right()], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ Login/m);
    expect(stdout + stderr).not.toContain('wrong-secret');
    expect(await files()).toEqual([]);
  });

  test('writes a working configuration, pins the host key and merges client files', async () => {
    const desktop = '.config/Claude/claude_desktop_config.json';
    await mkdir(path.dirname(at(desktop)), { recursive: true });
    const before = '{\n  // mine\n  "mcpServers": { "other": { "command": "x" } }\n}\n';
    await writeFile(at(desktop), before);
    await chmod(at(desktop), 0o640);
    await mkdir(path.dirname(at(CONFIG)), { recursive: true });
    await writeFile(at(CONFIG), '# mine\nLOG_LEVEL=warn\nHOST=old\n');

    const args = [...base(), ...key(), ...right(), '--client', 'claude-desktop,claude-code'];
    const first = await runCli(args, { cwd });
    expect(first, first.stdout + first.stderr).toMatchObject({ code: 0, stderr: '' });

    const env = await readFile(at(CONFIG), 'utf8');
    expect(env).toMatch(/^# mine\nLOG_LEVEL=warn\n/);
    expect(env).not.toMatch(/^HOST=/m);
    expect(env).toContain(`TRANSFER_DIRS=${at('proxmox-mcp')}\n`);
    // Claude Desktop cannot show questions.
    expect(env).toContain('APPROVALS=terminal\n');
    expect(first.stdout).toContain('Claude Desktop does not support confirmation prompts');
    expect(first.stdout).toMatch(/✓ self-test passed: \d+ containers listed/);
    expect(env).toContain('SSH_HOST_KEY_POLICY=strict\n');
    expect(await modeOf(CONFIG)).toBe('600');
    expect(await modeOf(desktop)).toBe('640');
    const merged = await readFile(at(desktop), 'utf8');
    expect(merged).toContain('// mine');
    const { command, args: started } = parse(merged).mcpServers.proxmox;
    expect(command).toBe(process.execPath);
    expect(started.slice(-2)).toEqual(['--config', at(CONFIG)]);
    expect(parse(await readFile(at('.claude.json'), 'utf8'))).toMatchObject({
      mcpServers: { proxmox: { type: 'stdio', command } },
    });
    const backup = (await files()).find((file) => file.startsWith(`${desktop}.backup-`)) ?? '';
    expect(await readFile(at(backup), 'utf8')).toBe(before);
    expect(await readFile(at('.config/proxmox-mcp/known_hosts'), 'utf8')).toContain(hostKey.line);

    // From any folder, without an option.
    const elsewhere = at('proxmox-mcp');
    const env2 = { HOME: cwd };
    expect(await runCli(['doctor'], { cwd: elsewhere, env: env2 })).toMatchObject({ code: 0 });
    const withoutRecords = async () => (await files()).filter((file) => !file.includes('/audit/'));
    const there = await withoutRecords();
    const second = await runCli(args, { cwd });
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain('nothing else to change');
    expect(await withoutRecords()).toEqual(there);

    const undo = await runCli(['init', '--undo'], { cwd });
    expect(undo).toMatchObject({ code: 0, stderr: '' });
    expect((await files()).filter((file) => !file.startsWith('.local/state/'))).toEqual(
      [desktop, CONFIG].sort(),
    );
    expect(await readFile(at(desktop), 'utf8')).toBe(before);
    expect(await readFile(at(CONFIG), 'utf8')).toBe('# mine\nLOG_LEVEL=warn\nHOST=old\n');
    expect(await runCli(['init', '--undo'], { cwd })).toMatchObject({ code: 1 });
  });

  test('keeps later changes of other programs on --undo', async () => {
    const args = [...base(), ...key(), ...right(), '--client', 'cursor,codex'];
    await mkdir(at('.codex'));
    await writeFile(at('.codex/config.toml'), '[mcp_servers.proxmox]\ncommand = "older"\n');
    expect(await runCli(args, { cwd })).toMatchObject({ code: 0, stderr: '' });
    const cursor = parse(await readFile(at('.cursor/mcp.json'), 'utf8'));
    cursor.mcpServers.other = { command: 'x' };
    await writeFile(at('.cursor/mcp.json'), JSON.stringify(cursor));
    await writeFile(at('proxmox-mcp/kept.txt'), 'mine');
    const undo = await runCli(['init', '--undo'], { cwd });
    expect(undo).toMatchObject({ code: 0, stderr: '' });
    expect(undo.stdout).toContain('kept: it is not empty');
    expect(JSON.parse(await readFile(at('.cursor/mcp.json'), 'utf8'))).toEqual({
      mcpServers: { other: { command: 'x' } },
    });
    expect(await readFile(at('.codex/config.toml'), 'utf8')).toBe(
      '[mcp_servers.proxmox]\ncommand = "older"\n',
    );
  });

  test('runs a command in a container through the client entry with --exec', async () => {
    const args = [...base(), ...key(), ...right(), '--client', 'vscode', '--exec', '101'];
    const { code, stdout } = await runCli(args, { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('command run in container 101');
    expect(stdout).toContain('Which containers are running on my Proxmox node?');
    expect(await readFile(at(CONFIG), 'utf8')).toContain('APPROVALS=client\n');
  });

  test('exits with 1 and a next step when the self-test fails', async () => {
    const args = [...base(), ...key(), ...right(), '--exec', '999'];
    const { code, stderr } = await runCli(args, { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('the self-test failed');
    expect(stderr).toContain('init --undo');
  });

  test('prints the changes on --dry-run, and writes nothing', async () => {
    const args = [...base(), ...key(), ...right(), '--client', 'all', '--dry-run'];
    const { code, stdout } = await runCli(args, { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('+ PROXMOX_HOST=127.0.0.1');
    expect(stdout).toContain('.cursor/mcp.json (new)');
    expect(await files()).toEqual([]);
  });

  test.each([[[]], [['--undo']], [['--undo', '--yes']]])(
    'refuses --dry-run with %j, which would write or remove files',
    async (more) => {
      const { code, stdout, stderr } = await runCli(['init', ...more, '--dry-run'], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('--dry-run needs --yes, and cannot be used with --undo');
      expect(stderr).toContain('Run `proxmox-mcp init --help` for the options.');
      expect(await files()).toEqual([]);
    },
  );

  test('changes nothing when a client file is invalid', async () => {
    await writeFile(at('.claude.json'), '{ "mcpServers": ');
    const { code, stderr } = await runCli([...base(), ...key(), ...right(), '--client', 'claude-code'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\.claude\.json cannot be changed: line 1 is not JSON.*do not select Claude Code/);
    expect(await files()).toEqual(['.claude.json']);
  });

  test('changes nothing when a file cannot be written or read, and names it', async () => {
    const args = [...base(), ...key(), ...right(), '--client', 'cursor'];
    await writeFile(at('.cursor'), 'a file in place of the directory');
    const unwritable = await runCli(args, { cwd });
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toContain(`nothing was changed. ${at('.cursor/mcp.json')} cannot be written`);
    expect(unwritable.stderr).not.toContain('    at ');
    await rm(at('.cursor'));
    await mkdir(at('.cursor/mcp.json'), { recursive: true });
    const unreadable = await runCli(args, { cwd });
    expect(unreadable.code).toBe(1);
    expect(unreadable.stderr).toContain(`${at('.cursor/mcp.json')} is a directory. Correct the file`);
    expect(await files()).toEqual([]);
  });

  test('writes a passphrase to config.env only, and never prints it', async () => {
    const passphrase = 'correct horse #1';
    const encrypted = at('.ssh/id_with_passphrase');
    await mkdir(at('.ssh'));
    await copyFile(sim.node().connection.keyPath, encrypted);
    await chmod(encrypted, 0o600);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', encrypted]);
    const args = [...base(), ...right(), '--ssh-key', encrypted, '--client', 'all'];
    const { code, stdout } = await runCli(args, { cwd, env: { SSH_KEY_PASSPHRASE: passphrase } });
    expect(code).toBe(0);
    expect(stdout).not.toContain(passphrase);
    const holding: string[] = [];
    for (const file of await files()) {
      if ((await readFile(at(file), 'utf8')).includes(passphrase)) holding.push(file);
    }
    expect(holding).toEqual([CONFIG]);
  });

  test.runIf(process.platform !== 'win32')('exits with 130 on Ctrl-C, and writes nothing', async () => {
    const { child, ended } = startCli([...base(), ...key(), ...right(), '--client', 'all'], { cwd });
    child.stdout?.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('nothing was changed');
    expect(await files()).toEqual([]);
  });
});

describeRig('init --create-key', (rig) => {
  const args = (port: number) => [
    'init',
    '--yes',
    '--i-accept-risks',
    '--ssh-host',
    rig.info.host,
    '--ssh-port',
    String(port),
    '--level',
    'read-only',
    '--create-key',
    '--fingerprint',
    rig.info.hostKeys.ed25519.fingerprint,
  ];
  const run = () => runCli(args(rig.info.port), { cwd, env: { SSH_PASSWORD: rig.info.rootPassword } });

  test('creates a key, installs it with the password, tests it, and discards the password', async () => {
    onTestFinished(await rig.restartSshd(['-o', `AuthorizedKeysFile=${KEYS}`]));
    onTestFinished(await keepAuthorizedKeys(rig, 'ssh-ed25519 AAAA no-line-end'));
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('key authorized for root@127.0.0.1 and tested');
    const publicKey = (await readFile(at('.ssh/proxmox-mcp_ed25519.pub'), 'utf8')).trim();
    expect((await rig.readInNode('/root/.ssh/authorized_keys')).toString()).toBe(
      `ssh-ed25519 AAAA no-line-end\n${publicKey}\n`,
    );
    expect(await modeOf('.ssh/proxmox-mcp_ed25519')).toBe('600');
    for (const file of await files()) {
      expect(await readFile(at(file), 'utf8'), file).not.toContain(rig.info.rootPassword);
    }
    const doctor = await runCli(['doctor'], { cwd });
    expect(doctor.code).toBe(0);
    expect(doctor.stdout).toContain('with key file');
  });

  test('removes a key that cannot log in, locally and on the node', async () => {
    // This sshd does not read the home directory.
    onTestFinished(await keepAuthorizedKeys(rig, 'ssh-ed25519 AAAA other\n'));
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('nothing was changed');
    expect(await files()).toEqual([]);
    expect((await rig.readInNode('/root/.ssh/authorized_keys')).toString()).toBe('ssh-ed25519 AAAA other\n');
  });
});

const KEYS = '/etc/ssh/rig/authorized_keys .ssh/authorized_keys';

/** Writes this file for root on the node, and removes it in the end. */
async function keepAuthorizedKeys(rig: Rig, content: string): Promise<() => Promise<void>> {
  await rig.inNode(['mkdir', '-p', '-m', '700', '/root/.ssh']);
  await rig.writeInNode('/root/.ssh/authorized_keys', content);
  return async () => {
    await rig.inNode(['rm', '-rf', '/root/.ssh']);
  };
}
