import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { silentNode } from '../mcp/fixtures.ts';
import { closedPort } from '../ports.ts';
import { until } from '../rig/until.ts';
import { runCli } from './run.ts';
import { KEY, lackOf, noTerminal, Terminal } from './terminal.ts';

/** The settings that `init` writes, below the home directory. */
const CONFIG = '.config/proxmox-mcp/config.env';
const PASSWORD = 'open sesame #1';
const CURSOR = `{
  // mine
  "mcpServers": {
    "other": { "command": "other" }
  }
}
`;

const lack = noTerminal ?? lackOf('ssh-agent');

describe.skipIf(lack !== null)(`init with questions${lack === null ? '' : ` (skipped: ${lack})`}`, () => {
  let sim: Simulator;
  let cwd = '';
  beforeAll(async () => {
    sim = await Simulator.start({
      scenario: {
        users: { root: { password: PASSWORD, sudo: 'all' } },
        nodes: { pve1: { containers: { 101: { name: 'web' } } } },
      },
    });
  });
  afterAll(() => sim.stop());
  beforeEach(async () => {
    cwd = await mkdtemp(path.join(tmpdir(), 'init-terminal-'));
    await mkdir(at('.cursor'));
    await writeFile(at('.cursor/mcp.json'), CURSOR);
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  const at = (file: string) => path.join(cwd, file);
  const modeOf = async (file: string) => ((await stat(at(file))).mode & 0o777).toString(8);

  /** Answers up to the choice of a login. */
  async function reachNode(env: Record<string, string> = {}): Promise<Terminal> {
    const { port } = sim.node().connection;
    const terminal = new Terminal(['init'], { cwd, env });
    await terminal.answer('Do you accept these risks?', 'y');
    await terminal.answer('[user@]host[:port]', `127.0.0.1:${port}${KEY.enter}`);
    await terminal.shows('SHA256:');
    await terminal.answer('Does the fingerprint match?', 'y');
    return terminal;
  }

  /** Answers from the test of the login to the end. */
  async function goOn(terminal: Terminal): Promise<void> {
    await terminal.shows('The test passed');
    await terminal.answer('What may the assistant do?', KEY.enter);
    await terminal.answer('Which clients should I set up?', KEY.enter);
  }

  /** The result of every login. */
  async function expectSetUp(): Promise<void> {
    expect(await modeOf(CONFIG)).toBe('600');
    const config = await readFile(at('.cursor/mcp.json'), 'utf8');
    expect(config).toContain('// mine');
    expect(parse(config)).toMatchObject({
      mcpServers: {
        other: { command: 'other' },
        proxmox: { args: expect.arrayContaining(['--config', at(CONFIG)]) },
      },
    });
    const backups = (await readdir(at('.cursor'))).filter((name) => name !== 'mcp.json');
    expect(backups).toHaveLength(1);
    expect(await readFile(at(`.cursor/${backups[0]}`), 'utf8')).toBe(CURSOR);
  }

  async function listed(env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await runCli(['call', 'list_containers'], {
      cwd,
      env,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  test('creates a key, authorizes it with the password, stores no password, and removes the key with --undo', async () => {
    const terminal = await reachNode();
    await terminal.answer('Create a new SSH key and install it', KEY.enter);
    await terminal.answer('Password for root@127.0.0.1', `${PASSWORD}${KEY.enter}`);
    await goOn(terminal);
    await terminal.shows('"proxmox"');
    await terminal.shows('key authorized for root@127.0.0.1');
    await terminal.shows('Self-test passed: 1 container listed');
    await terminal.shows('Restart Cursor');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.text).not.toContain(PASSWORD);
    await expectSetUp();
    expect(await readFile(at(CONFIG), 'utf8')).toContain('APPROVALS=client\n');
    expect(await modeOf('.ssh/proxmox-mcp_ed25519')).toBe('600');
    for (const entry of await readdir(cwd, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(await readFile(path.join(entry.parentPath, entry.name), 'utf8'), entry.name).not.toContain(
        PASSWORD,
      );
    }
    const publicKey = (await readFile(at('.ssh/proxmox-mcp_ed25519.pub'), 'utf8')).trim();
    expect(sim.node().file('/root/.ssh/authorized_keys')).toContain(publicKey);
    expect(await listed()).toContain('web');

    expect(await runCli(['init', '--undo'], { cwd })).toMatchObject({ code: 0, stderr: '' });
    expect(sim.node().file('/root/.ssh/authorized_keys')).not.toContain(publicKey);
    expect(existsSync(at('.ssh/proxmox-mcp_ed25519'))).toBe(false);
    expect(existsSync(at(CONFIG))).toBe(false);
    expect(await readFile(at('.cursor/mcp.json'), 'utf8')).toBe(CURSOR);
  });

  test('uses a key of the agent without writing it', async () => {
    const SSH_AUTH_SOCK = await agentWith(sim.node().connection.keyPath);
    const terminal = await reachNode({ SSH_AUTH_SOCK });
    await terminal.answer('Key in your ssh-agent', KEY.enter);
    await goOn(terminal);
    await terminal.ended();
    await expectSetUp();
    expect(existsSync(at('.ssh/proxmox-mcp_ed25519'))).toBe(false);
    expect(await readFile(at(CONFIG), 'utf8')).not.toMatch(/^SSH_(KEY|PASSWORD)/m);
    expect(await listed({ SSH_AUTH_SOCK })).toContain('web');
  });

  test('offers every key with a .pub, and asks for a passphrase until it is right', async () => {
    await mkdir(at('.ssh'));
    await copyFile(sim.node().connection.keyPath, at('.ssh/homelab_key'));
    await chmod(at('.ssh/homelab_key'), 0o600);
    await writeFile(
      at('.ssh/homelab_key.pub'),
      execFileSync('ssh-keygen', ['-y', '-f', at('.ssh/homelab_key')]),
    );
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', PASSWORD, '-f', at('.ssh/homelab_key')]);
    const terminal = await reachNode();
    await terminal.answer('Key ~/.ssh/homelab_key', KEY.enter);
    await terminal.answer('Passphrase for this key', `wrong${KEY.enter}`);
    await terminal.answer('Wrong passphrase. Try again', `${PASSWORD}${KEY.enter}`);
    await goOn(terminal);
    await terminal.shows('Self-test passed: 1 container listed');
    expect(await terminal.ended()).toBe(0);
  });

  test('skips questions that options answer', async () => {
    const { port, keyPath, knownHostsPath } = sim.node().connection;
    const options = ['--ssh-key', keyPath, '--ssh-known-hosts', knownHostsPath, '--level', 'containers'];
    const terminal = new Terminal(
      ['init', `root@127.0.0.1:${port}`, '--i-accept-risks', ...options, '--client', 'none'],
      { cwd },
    );
    await terminal.shows('No client was set up');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.text).not.toContain('?');
  });

  test('asks again for the clients if the file of one is invalid', async () => {
    await writeFile(at('.cursor/mcp.json'), '{ "mcpServers": ');
    const { port, keyPath, knownHostsPath } = sim.node().connection;
    const options = ['--ssh-key', keyPath, '--ssh-known-hosts', knownHostsPath, '--level', 'containers'];
    const terminal = new Terminal(['init', `root@127.0.0.1:${port}`, '--i-accept-risks', ...options], {
      cwd,
    });
    await terminal.answer('Which clients should I set up?', KEY.enter);
    await terminal.shows('do not select Cursor');
    await writeFile(at('.cursor/mcp.json'), CURSOR);
    await terminal.answer('Which clients should I set up?', KEY.enter);
    await terminal.shows('Self-test passed');
    expect(await terminal.ended()).toBe(0);
  });

  test('asks again only for a wrong port', async () => {
    const { port } = sim.node().connection;
    const terminal = new Terminal(['init', `127.0.0.1:${await closedPort()}`, '--i-accept-risks'], { cwd });
    await terminal.shows('refused');
    await terminal.answer('[user@]host[:port]', `${KEY.ctrlU}127.0.0.1:${port}${KEY.enter}`);
    await terminal.answer('Does the fingerprint match?', KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);
  });

  test('shows that it connects to a node that does not answer, and ends with 130 on Ctrl-C', async () => {
    const node = await silentNode();
    onTestFinished(() => node.close());
    const terminal = new Terminal(['init', `127.0.0.1:${node.port}`, '--i-accept-risks'], { cwd });
    await terminal.answer(`Connecting to 127.0.0.1 port ${node.port}`, KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);
    expect(terminal.text).toContain('Cancelled. Nothing was changed.');
    expect(terminal.text).not.toContain('Cannot connect');
  });

  test('ends with 130 on Ctrl-C during the test of the connection', async () => {
    const terminal = await reachNode();
    await terminal.answer('Password', KEY.down + KEY.down + KEY.enter);
    await terminal.answer('Password for root@127.0.0.1', `${PASSWORD}${KEY.enter}`);
    await terminal.answer('Testing', KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);
    expect(terminal.text).toContain('Cancelled. Nothing was changed.');
    expect(await readdir(cwd)).toEqual(['.cursor']);
  });

  test('names the mistakes in the address of the web interface and in the path of a key', async () => {
    const { port, keyPath } = sim.node().connection;
    await mkdir(at('my keys'));
    await copyFile(keyPath, at('my keys/lab'));
    await writeFile(at('lab.pub'), 'ssh-ed25519 AAAA');
    const terminal = new Terminal(['init', '--i-accept-risks'], { cwd });
    await terminal.answer('[user@]host[:port]', `https://127.0.0.1:8006/${KEY.enter}`);
    await terminal.answer('for example root@127.0.0.1', `${KEY.ctrlU}127.0.0.1:${port}${KEY.enter}`);
    await terminal.answer('Does the fingerprint match?', 'y');
    await terminal.answer('Another key file', `${KEY.down}${KEY.enter}`);
    await terminal.answer('Path of the private key', `${at('lab.pub')}${KEY.enter}`);
    await terminal.answer('This is a public key', `${KEY.ctrlU}'${at('my keys/lab')}'${KEY.enter}`);
    await terminal.shows('The test passed');
    await terminal.answer('What may the assistant do?', KEY.enter);
    await terminal.answer('Which clients should I set up?', KEY.enter);
    await terminal.shows('Self-test passed');
    expect(await terminal.ended()).toBe(0);
    expect(await readFile(at(CONFIG), 'utf8')).toContain(at('my keys/lab'));
  });

  test('keeps the login and the permissions when it runs again, and says that nothing changes', async () => {
    const { port, knownHostsPath } = sim.node().connection;
    const set = ['--ssh-known-hosts', knownHostsPath, '--level', 'containers', '--client', 'cursor'];
    const env = { SSH_PASSWORD: PASSWORD, POLICY: 'standard', I_ACCEPT_RISKS: 'true' };
    const first = await runCli(['init', '--yes', `root@127.0.0.1:${port}`, ...set], { cwd, env });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const before = await readFile(at(CONFIG), 'utf8');
    const terminal = new Terminal(['init'], { cwd });
    await terminal.answer('[user@]host[:port]', KEY.enter);
    await terminal.answer('As before: the stored password', KEY.enter);
    await terminal.answer('● Work freely in containers', KEY.enter);
    await terminal.answer('Which clients should I set up?', KEY.enter);
    await terminal.shows('Nothing to change');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.text).not.toContain('Do you accept these risks?');
    expect(await readFile(at(CONFIG), 'utf8')).toBe(before);
  });

  test('sets up approvals at the terminal with a passphrase for a client without confirmation prompts', async () => {
    await mkdir(at('.config/Claude'), { recursive: true });
    const { port, keyPath, knownHostsPath } = sim.node().connection;
    const options = ['--ssh-key', keyPath, '--ssh-known-hosts', knownHostsPath, '--level', 'containers'];
    const terminal = new Terminal(['init', `root@127.0.0.1:${port}`, '--i-accept-risks', ...options], {
      cwd,
    });
    await terminal.answer('Which clients should I set up?', KEY.enter);
    await terminal.shows('Claude Desktop does not support confirmation prompts');
    await terminal.answer('Approval passphrase', `short${KEY.enter}`);
    await terminal.answer('At least 8 characters', `long enough 1${KEY.enter}`);
    await terminal.answer('Repeat the passphrase', `long enough 1${KEY.enter}`);
    await terminal.shows('Self-test passed');
    expect(await terminal.ended()).toBe(0);
    expect(await readFile(at(CONFIG), 'utf8')).toContain('APPROVALS=terminal\n');
    expect(existsSync(at('.local/state/proxmox-mcp/approvals/passphrase.json'))).toBe(true);
  });

  test('asks again for a wrong password, and changes nothing on Ctrl-C', async () => {
    const terminal = await reachNode();
    await terminal.answer('Password', KEY.down + KEY.down + KEY.enter);
    await terminal.answer('Password for root@127.0.0.1', `wrong${KEY.enter}`);
    await terminal.shows('The test failed');
    await terminal.shows('SSH_PASSWORD');
    await terminal.answer('How do you log in as', KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);
    expect(terminal.text).toContain('Nothing was changed');
    expect(await readdir(cwd)).toEqual(['.cursor']);
    expect(await readFile(at('.cursor/mcp.json'), 'utf8')).toBe(CURSOR);
  });

  /** Starts an agent with one key. @returns its socket */
  async function agentWith(key: string): Promise<string> {
    // Not below the directory for temporary files: init does not offer agents whose socket may be gone after the next login.
    const dir = await mkdtemp('/dev/shm/agent-');
    const socket = path.join(dir, 'socket');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(async () => {
      agent.kill();
      await rm(dir, { recursive: true, force: true });
    });
    await until(() => existsSync(socket));
    execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
    return socket;
  }
});
