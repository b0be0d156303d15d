import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { until } from '../rig/until.ts';
import { runCli } from './run.ts';
import { KEY, lackOf, noTerminal, Terminal } from './terminal.ts';

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

  /** Up to the choice of a login. */
  async function reachNode(env: Record<string, string> = {}): Promise<Terminal> {
    const { port } = sim.node().connection;
    const terminal = new Terminal(['init'], { cwd, env });
    await terminal.answer('Do you accept that?', 'y');
    await terminal.answer('Address or name', `127.0.0.1${KEY.enter}`);
    await terminal.answer('Port of its SSH server', `${port}${KEY.enter}`);
    await terminal.answer('User to log in as', KEY.enter);
    await terminal.shows('SHA256:');
    await terminal.answer('shall it be pinned?', 'y');
    return terminal;
  }

  /** From the test of the login to the end. */
  async function goOn(terminal: Terminal): Promise<void> {
    await terminal.shows('Tested: it works');
    await terminal.answer('How much may the assistant do?', KEY.enter);
    await terminal.answer('When must a person confirm', KEY.enter);
    await terminal.answer('Directory for .env', KEY.enter);
    await terminal.answer('Set up which clients?', KEY.enter);
  }

  /** What every way leads to. */
  async function expectSetUp(): Promise<void> {
    expect(await modeOf('.env')).toBe('600');
    const config = await readFile(at('.cursor/mcp.json'), 'utf8');
    expect(config).toContain('// mine');
    expect(parse(config)).toMatchObject({
      mcpServers: {
        other: { command: 'other' },
        proxmox: { args: expect.arrayContaining(['--env-file', at('.env')]) },
      },
    });
    const backups = (await readdir(at('.cursor'))).filter((name) => name !== 'mcp.json');
    expect(backups).toHaveLength(1);
    expect(await readFile(at(`.cursor/${backups[0]}`), 'utf8')).toBe(CURSOR);
  }

  async function listed(env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await runCli(['call', 'list_containers', '--env-file', at('.env')], {
      cwd,
      env,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  test('a new key: made, let in with the password, which is kept nowhere', async () => {
    const terminal = await reachNode();
    await terminal.answer('Make a new key and install it', KEY.enter);
    await terminal.answer('Password of root@127.0.0.1', `${PASSWORD}${KEY.enter}`);
    await goOn(terminal);
    await terminal.shows('A new key');
    await terminal.shows('"proxmox"');
    await terminal.answer('Do all of this?', KEY.enter);
    await terminal.shows('Restart Cursor');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.text).not.toContain(PASSWORD);
    await expectSetUp();
    expect(await modeOf('.ssh/proxmox-mcp_ed25519')).toBe('600');
    for (const entry of await readdir(cwd, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(await readFile(path.join(entry.parentPath, entry.name), 'utf8'), entry.name).not.toContain(
        PASSWORD,
      );
    }
    expect(sim.node().file('/root/.ssh/authorized_keys')).toContain(
      (await readFile(at('.ssh/proxmox-mcp_ed25519.pub'), 'utf8')).trim(),
    );
    expect(await listed()).toContain('web');
  });

  test("the agent's key: nothing of it is written, and it works while the agent is there", async () => {
    const SSH_AUTH_SOCK = await agentWith(sim.node().connection.keyPath);
    const terminal = await reachNode({ SSH_AUTH_SOCK });
    await terminal.answer('Key in your ssh-agent', KEY.enter);
    await goOn(terminal);
    await terminal.answer('Do all of this?', KEY.enter);
    expect(await terminal.ended()).toBe(0);
    await expectSetUp();
    expect(existsSync(at('.ssh/proxmox-mcp_ed25519'))).toBe(false);
    expect(await readFile(at('.env'), 'utf8')).not.toMatch(/^SSH_(KEY|PASSWORD)/m);
    expect(await listed({ SSH_AUTH_SOCK })).toContain('web');
  });

  test('a wrong password is told, and another way may be tried; Ctrl-C leaves all as it was', async () => {
    const terminal = await reachNode();
    await terminal.answer('Password', KEY.down + KEY.down + KEY.enter);
    await terminal.answer('Password of root@127.0.0.1', `wrong${KEY.enter}`);
    await terminal.shows('Tested: there is a problem');
    await terminal.shows('SSH_PASSWORD');
    await terminal.answer('Try another way to log in?', KEY.enter);
    await terminal.answer('How do you log in as', KEY.ctrlC);
    expect(await terminal.ended()).toBe(130);
    expect(terminal.text).toContain('Nothing was changed');
    expect(await readdir(cwd)).toEqual(['.cursor']);
    expect(await readFile(at('.cursor/mcp.json'), 'utf8')).toBe(CURSOR);
  });

  /** Starts an agent that holds one key. @returns its socket */
  async function agentWith(key: string): Promise<string> {
    const dir = await mkdtemp(path.join(tmpdir(), 'agent-'));
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
