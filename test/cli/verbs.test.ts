import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashPassphrase } from '../../src/governance/approval/passphrase.ts';
import { ApprovalStore } from '../../src/governance/approval/request-store.ts';
import { Simulator } from '../../src/simulator/simulator.ts';
import { runCli } from './run.ts';
import { KEY, noTerminal, Terminal } from './terminal.ts';

let cwd = '';
let sim: Simulator;
const at = (file: string) => path.join(cwd, file);

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'verbs-'));
  sim = await Simulator.start({
    scenario: {
      nodes: {
        pve1: {
          containers: {
            101: { name: 'web' },
            102: { name: 'db', tags: ['protected'] },
            103: { name: 'spare' },
          },
        },
      },
    },
  });
  const { host, port, keyPath, knownHostsPath } = sim.node().connection;
  await mkdir(at('.config/proxmox-mcp'), { recursive: true });
  // As after `init`: the transfer directory is not the folder of the caller.
  await mkdir(at('elsewhere'));
  await writeFile(
    at('.config/proxmox-mcp/config.env'),
    `I_ACCEPT_RISKS=true\nPROXMOX_HOST=${host}\nSSH_PORT=${port}\nSSH_KEY=${keyPath}\nSSH_KNOWN_HOSTS=${knownHostsPath}\nTRANSFER_DIRS=${at('elsewhere')}\n`,
  );
});
afterAll(async () => {
  await sim.stop();
  await rm(cwd, { recursive: true, force: true });
});

const run = (...args: readonly string[]) => runCli(args, { cwd });

describe('invalid command lines', () => {
  test.each([
    [['status'], 'status needs a VMID such as 101; list them'],
    [['stop', 'web'], "stop needs a VMID such as 101, not 'web'"],
    [['exec', '101'], 'exec needs a VMID and a command'],
    [['cp', '101:/etc/hosts'], 'cp needs a source and a target'],
    [['cp', 'a', 'b'], 'cp needs VMID:PATH'],
    [['list', 'all'], "'all'"],
    [['lst'], 'Did you mean list?'],
    [['stauts', '101'], 'Did you mean status?'],
    [['exect', '101', 'df'], 'Did you mean exec?'],
  ])('%j: exits with 2, %s', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('list and status print tables or JSON', async () => {
  const list = await run('list');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout).toMatch(/^VMID .*\n101 +running +web/);
  expect(JSON.parse((await run('list', '--json')).stdout).containers).toHaveLength(3);
  expect((await run('status', '101')).stdout).toMatch(/^Container: +101 \(web\)\nStatus: +running/);
});

test('stop and start print one sentence, and errors name a shell command', async () => {
  expect(await run('stop', '103')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Container 103 .*\.\n$/),
  });
  expect(await run('stop', '103')).toMatchObject({ stdout: 'Container 103 is already stopped.\n' });
  expect(await run('start', '103')).toMatchObject({ code: 0, stdout: expect.stringContaining('103') });
  const { code, stderr } = await run('start', '999');
  expect(code).toBe(1);
  expect(stderr).toContain('`proxmox-mcp list`');
  expect(stderr).not.toContain('proxmox_list_containers');
});

describe('exec', () => {
  test('passes through stdout, stderr and the exit code', async () => {
    expect(await run('exec', '101', 'echo out; echo err >&2; exit 7')).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('treats one word as a command line, and several words as separate arguments', async () => {
    expect((await run('exec', '101', 'echo a  b | sed s/a/x/')).stdout).toBe('x b\n');
    expect((await run('exec', '101', 'echo', 'a  b', '$HOME', '|', '-h', '--json')).stdout).toBe(
      'a  b $HOME | -h --json\n',
    );
    expect((await run('exec', '101', '--', 'echo', '--', 'x')).stdout).toBe('-- x\n');
  });

  test('parses options before the VMID', async () => {
    const { code, stdout } = await run('exec', '--timeout', '1', '--json', '101', 'sleep 60');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'TIMEOUT', survivors: [] });
    expect(await run('exec', '--timeout', '1s', '101', 'sleep 60')).toMatchObject({
      code: 124,
      stdout: '',
      stderr: expect.stringContaining('was killed. None of its processes is left.'),
    });
    expect(await run('exec', '999', 'true')).toMatchObject({ code: 125, stdout: '' });
  });

  test('does not apply the output limit of models', async () => {
    const { stdout } = await run('exec', '101', 'seq 1 20000');
    expect(stdout.split('\n')).toHaveLength(20_001);
  });
});

describe('cp', () => {
  test('copies in both directions, relative to the working directory', async () => {
    expect(await run('cp', '101:/etc/hostname', 'got')).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(at('got'), 'utf8')).toBe('web\n');
    expect(await run('cp', './got', '101:/tmp/')).toMatchObject({ code: 0, stderr: '' });
    expect((await run('exec', '101', 'cat /tmp/got')).stdout).toBe('web\n');
    expect(await run('cp', '101:/etc/hostname', '.')).toMatchObject({ code: 0 });
    expect(await readFile(at('hostname'), 'utf8')).toBe('web\n');
  });

  test('replaces an existing file only with --overwrite, and copies from the node only with ENABLE_HOST_EXEC', async () => {
    await writeFile(at('mine'), 'mine');
    expect(await run('cp', '101:/etc/hostname', 'mine')).toMatchObject({ code: 1 });
    expect(await readFile(at('mine'), 'utf8')).toBe('mine');
    expect(await run('cp', '--overwrite', '101:/etc/hostname', 'mine')).toMatchObject({ code: 0 });
    expect((await run('cp', 'host:/etc/hostname', 'node')).stderr).toContain('HOST_ACCESS_DISABLED');
    expect(await run('cp', 'host:/etc/hostname', 'node', '--enable-host-exec')).toMatchObject({ code: 0 });
  });
});

describe.skipIf(noTerminal !== null)(
  `calls that need confirmation${noTerminal === null ? '' : ` (skipped: ${noTerminal})`}`,
  () => {
    const status = async () => JSON.parse((await run('status', '102', '--json')).stdout).status;
    const dir = (name: string) => ['--state-dir', at(name)];

    test('are confirmed at the terminal, and not run when declined', async () => {
      const terminal = new Terminal(['stop', '102', ...dir('state-no')], { cwd });
      await terminal.shows('102');
      await terminal.answer('Allow this call? [y/N]', KEY.enter);
      expect(await terminal.ended()).toBe(1);
      expect(await status()).toBe('running');
    });

    test('are not run when the question is not answered before the request expires', async () => {
      const terminal = new Terminal(['stop', '102', ...dir('state-silent'), '--approval-ttl', '2s'], { cwd });
      await terminal.shows('Allow this call? [y/N]');
      await terminal.shows('APPROVAL_TTL');
      await terminal.shows('CONFIRMATION_REFUSED');
      expect(await terminal.ended()).toBe(1);
      expect(await status()).toBe('running');
    });

    test.each(['client', 'terminal'])(
      'are not run when the passphrase is not typed before the request expires (APPROVALS=%s)',
      async (approvals) => {
        const state = `state-untyped-${approvals}`;
        await new ApprovalStore(at(state)).setPassphrase(await hashPassphrase('correct horse'));
        const args = ['stop', '102', ...dir(state), '--approvals', approvals, '--approval-ttl', '4s'];
        const terminal = new Terminal(args, { cwd });
        await terminal.answer('Allow this call? [y/N]', `y${KEY.enter}`);
        await terminal.shows('Approval passphrase');
        await terminal.shows('APPROVAL_TTL');
        expect(await terminal.ended()).toBe(1);
        expect(await status()).toBe('running');
      },
    );

    test('are cancelled by Ctrl-C at the question', async () => {
      const terminal = new Terminal(['stop', '102', ...dir('state-ctrl-c')], { cwd });
      await terminal.answer('Allow this call? [y/N]', KEY.ctrlC);
      expect(await terminal.ended()).toBe(130);
      expect(await status()).toBe('running');
    });

    test.each(['client', 'terminal'])(
      'ask for the passphrase if one is set (APPROVALS=%s)',
      async (approvals) => {
        const state = `state-${approvals}`;
        await new ApprovalStore(at(state)).setPassphrase(await hashPassphrase('correct horse'));
        const terminal = new Terminal(['stop', '102', ...dir(state), '--approvals', approvals], { cwd });
        await terminal.answer('Allow this call? [y/N]', `y${KEY.enter}`);
        await terminal.answer('Approval passphrase', `wrong horse${KEY.enter}`);
        await terminal.answer('Wrong passphrase', `correct horse${KEY.enter}`);
        await terminal.shows('Container 102');
        expect(await terminal.ended()).toBe(0);
        expect(await status()).toBe('stopped');
        expect(await run('start', '102', '--policy', 'open')).toMatchObject({ code: 0 });
      },
    );
  },
);

describe.skipIf(noTerminal !== null)(`in a terminal of 130 columns${noTerminal ?? ''}`, () => {
  test('the sentences of a tool are wrapped, unlike for a program; a file and a table that fits are not', async () => {
    const args = ['call', 'read_file', 'vmid=101', 'path=/etc/hostname'];
    expect((await run(...args)).stdout).toMatch(/^\/etc\/hostname .*SHA-256 [0-9a-f]{64}$/m);
    const terminal = new Terminal(args, { cwd });
    await terminal.shows('[file ');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.text).toMatch(/^(?:SHA-256 )?[0-9a-f]{64}\r?$/m);

    const table = new Terminal(['call', 'list_containers', 'details=true'], { cwd });
    await table.shows('ADDRESSES');
    expect(await table.ended()).toBe(0);
    expect(table.text).not.toContain('ADDRESSES dhcp');
  });
});
