import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { listSettings } from '../../src/config/settings-schema.ts';
import { VERSION } from '../../src/lib/version.ts';
import { serverCommand } from '../mcp/client.ts';

const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-'));
afterAll(() => fs.rmSync(cwd, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  /** Resolves with the first line of stdout. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** The program as a client starts it, with exactly this environment. */
function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const { PATH = '', SystemRoot = '' } = process.env;
  // Without the dashes, Node 20 interprets an --env-file after the script as its own option.
  const program = serverCommand();
  const child = spawn(
    program.command,
    [...program.args.slice(0, -1), '--', program.args.at(-1) ?? '', ...args],
    {
      cwd,
      env: { PATH, SystemRoot, HOME: cwd, USERPROFILE: cwd, ...env },
    },
  );
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const firstLine = new Promise<string>((resolve) => {
    child.stdout.on('data', (data) => {
      stdout += data;
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, firstLine, ended };
}

function run(args: readonly string[], env: Record<string, string> = {}) {
  const { child, ended } = start(args, env);
  child.stdin?.end();
  return ended;
}

const ENOUGH = { I_ACCEPT_RISKS: 'true', HOST: '192.0.2.10' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

describe('refusals to start', () => {
  test('exits with 2 without consent, leaves stdout empty, and explains on stderr', async () => {
    const { code, stdout, stderr } = await run([], { HOST: '192.0.2.10' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('I_ACCEPT_RISKS is not set');
    expect(stderr).toContain('you are responsible for what happens');
    expect(stderr).not.toContain('\u001B');
  });

  test('reports all configuration errors at once, from every source', async () => {
    const { code, stdout, stderr } = await run(['--ssh-port', '0x16', '--env-file', 'gone.env'], {
      SUDO: 'perhaps',
      SSH_USER: 'x',
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const name of ['--ssh-port=0x16', 'SUDO=perhaps', 'gone.env']) {
      expect(stderr).toContain(name);
    }
    expect(stderr).toContain('cannot start: 3 settings need your attention');
    expect(stderr).toContain('did you mean SSH_USERNAME?');
  });

  test.each([
    [['--ssh-prot', '22'], '(Did you mean --ssh-port?)'],
    [['--raed-only'], '(Did you mean --read-only?)'],
    [['srve'], '(Did you mean serve?)'],
    [['lsit'], '(Did you mean list?)'],
    [['docter'], '(Did you mean doctor?)'],
    [['stat'], '(Did you mean status?)'],
    [['help', 'tolls'], '(Did you mean tools?)'],
    [['help', 'ssh'], '(Did you mean connection?)'],
    [['help', 'AUDIT_DIR'], '(Did you mean governance?)'],
    [['help', 'weather'], 'Topics: serve, init,'],
    [['serve', '--exec', '101'], '--exec is an option of init and doctor, not of serve'],
    [['--ssh-password=x'], 'SSH_PASSWORD_FILE'],
    [['list', '--host', '192.0.2.20'], 'for the node, use --ssh-host'],
    [['doctor', '--port', '2222'], 'for the node, use --ssh-port'],
    [['init', '192.0.2.20', '--port', '2222'], 'for the node, use --ssh-port'],
    [['--ssh-port'], 'argument missing'],
    [['serve', 'more'], "unexpected argument: 'more'"],
  ])('rejects %j: %s', async (args, message) => {
    const { code, stdout, stderr } = await run(args, ENOUGH);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('prints the version on --version', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

/** Expects a text to fit a terminal of the usual size. */
function expectToFit(text: string): void {
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(40);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
}

const SETTING_GROUPS = ['connection', 'commands', 'files', 'server', 'http', 'governance'];

test.each([['--help'], ['-h'], ['help']])('%s fits an 80 × 40 terminal', async (args) => {
  const { code, stdout, stderr } = await run(args.split(' '));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expectToFit(stdout);
  for (const flag of ['i-accept-risks', 'ssh-host <address>', 'read-only', 'policy <preset>', 'http']) {
    expect(stdout).toContain(`  --${flag} `);
  }
  expect(stdout).toContain(`proxmox-mcp help ${SETTING_GROUPS.join('|')}\n`);
});

test('shows every setting in the help of its group, which fits a terminal', async () => {
  const told: string[] = [];
  for (const group of ['consent', ...SETTING_GROUPS]) {
    const { code, stdout, stderr } = await run(['help', group]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expectToFit(stdout);
    told.push(stdout);
  }
  for (const { flag, name } of listSettings()) {
    const row = `\n  ${flag === undefined ? name : `--${flag}`} `;
    expect(told.filter((text) => text.includes(row))).toHaveLength(1);
  }
});

test.each(COMMANDS.map(({ name }) => name))('%s --help fits an 80 × 40 terminal', async (command) => {
  for (const args of [
    [command, '--help'],
    ['help', command],
  ]) {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: proxmox-mcp \\[?${command}`, 'm'));
    expectToFit(stdout);
  }
});

describe('serving', () => {
  test.each([
    [[], ENOUGH],
    [['serve'], ENOUGH],
    [['--ssh-host', '192.0.2.10', '--i-accept-risks', 'serve', '--no-sudo'], {}],
  ])('%j: responds, and exits with 0 when stdin ends', async (args, env) => {
    const { child, firstLine, ended } = start(args, env);
    child.stdin?.write(`${JSON.stringify(INITIALIZE)}\n`);
    expect(JSON.parse(await firstLine)).toMatchObject({
      id: 1,
      result: { serverInfo: { version: VERSION } },
    });
    child.stdin?.end();
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test.runIf(process.platform !== 'win32').each(['SIGTERM', 'SIGINT'] as const)(
    'exits with 0 on %s',
    async (signal) => {
      const { child, firstLine, ended } = start([], ENOUGH);
      child.stdin?.write(`${JSON.stringify(INITIALIZE)}\n`);
      await firstLine;
      const before = Date.now();
      child.kill(signal);
      expect((await ended).code).toBe(0);
      expect(Date.now() - before).toBeLessThan(4500);
    },
  );
});
