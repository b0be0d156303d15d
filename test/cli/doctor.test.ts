import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { settingsWithoutNode, silentNode } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';
import { AFTER_LOGIN, examine } from './doctor-report.ts';
import { runCli, startCli } from './run.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-doctor-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe('settings', () => {
  test('reports every configuration error, checks nothing else and exits with 2', async () => {
    const { code, failed } = await examine(cwd, { SSH_PORT: 'ssh' });
    expect({ code, failed }).toEqual({
      code: 2,
      failed: ['configuration', 'configuration', 'configuration'],
    });
  });

  test('continues when only the consent is missing', async () => {
    const env = { ...(await settingsWithoutNode()), I_ACCEPT_RISKS: '', ENABLE_HOST_EXCE: 'x' };
    const { code, failed, warned } = await examine(cwd, env);
    expect({ code, failed, warned }).toEqual({
      code: 2,
      failed: ['configuration', 'port'],
      warned: ['configuration'],
    });
  });

  test('ends a warning that is a question with its question mark only', async () => {
    const { checks } = await examine(cwd, { ...(await settingsWithoutNode()), CHARACTER_LIMT: '100' });
    const [warning] = checks.filter(({ verdict }) => verdict === 'warn');
    expect(warning?.detail).toMatch(/did you mean CHARACTER_LIMIT\?$/);
  });

  test.each([['x'], ['7']])('refuses --exec %s', async (vmid) => {
    const { code, stdout, stderr } = await runCli(['doctor', '--exec', vmid], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('VMID');
  });
});

describe('local directories', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-kept-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test.each(['mcp.json', 'claude_desktop_config.json'])(
    'warns when transfers could write %s',
    async (file) => {
      const files = await mkdtemp(path.join(dir, 'files-'));
      await writeFile(path.join(files, file), '{}');
      const env = { ...(await settingsWithoutNode()), TRANSFER_DIRS: files };
      const { of } = await examine(cwd, env);
      expect(of('transfer-dirs')).toMatchObject({
        verdict: 'warn',
        detail: expect.stringContaining(path.join(files, file)),
        remedy: expect.stringContaining('TRANSFER_DIRS'),
      });
      expect((await examine(cwd, { ...env, READ_ONLY: 'true' })).of('transfer-dirs')?.verdict).toBe('ok');
    },
  );

  test('accepts a state directory that will be created, without creating it', async () => {
    const env = { ...(await settingsWithoutNode()), STATE_DIR: path.join(dir, 'a', 'b') };
    const { of } = await examine(cwd, env);
    expect(of('state-dirs')).toMatchObject({
      verdict: 'ok',
      detail: expect.stringContaining(path.join(dir, 'a', 'b', 'audit')),
    });
    await expect(mkdir(path.join(dir, 'a'))).resolves.toBeUndefined();
  });

  test.runIf(process.platform !== 'win32')(
    'reports an audit directory that other users can write',
    async () => {
      const open = await mkdtemp(path.join(dir, 'open-'));
      await chmod(open, 0o777);
      const env = { ...(await settingsWithoutNode()), AUDIT_DIR: open, STATE_DIR: path.join(dir, 'state') };
      const { of, failed } = await examine(cwd, env);
      expect(failed).toEqual(['port', 'state-dirs']);
      expect(of('state-dirs')).toMatchObject({
        detail: expect.stringContaining(`${open} is writable by other users`),
        remedy: expect.stringContaining('AUDIT_DIR'),
      });
      expect((await examine(cwd, { ...env, AUDIT: 'false' })).of('state-dirs')?.verdict).toBe('ok');
    },
  );

  test('warns when calls wait for an approval that needs a passphrase, and none is set', async () => {
    const env = { ...(await settingsWithoutNode()), STATE_DIR: path.join(dir, 'approvals') };
    const { of } = await examine(cwd, { ...env, APPROVALS: 'terminal' });
    expect(of('approvals')).toMatchObject({
      verdict: 'warn',
      remedy: expect.stringContaining('proxmox-mcp approvals passphrase'),
    });
    await mkdir(path.join(dir, 'approvals', 'approvals'), { recursive: true, mode: 0o700 });
    await writeFile(path.join(dir, 'approvals', 'approvals', 'passphrase.json'), '{}');
    expect((await examine(cwd, { ...env, APPROVALS: 'terminal' })).of('approvals')?.verdict).toBe('ok');
    expect((await examine(cwd, env)).checks.map(({ id }) => id)).not.toContain('approvals');
  });

  const unmade = 'reports an audit directory that cannot be created';
  // Root may write anywhere, so the check finds nothing.
  if (process.getuid?.() === 0) console.log(`not run as root: ${unmade}`);
  else
    test(unmade, async () => {
      const closed = await mkdtemp(path.join(dir, 'closed-'));
      await chmod(closed, 0o500);
      const env = { ...(await settingsWithoutNode()), AUDIT_DIR: path.join(closed, 'audit') };
      const { of } = await examine(cwd, env);
      expect(of('state-dirs')).toMatchObject({
        verdict: 'fail',
        detail: expect.stringContaining('cannot be created'),
      });
    });
});

describe('connection checks', () => {
  test('report a refused connection, skip the checks that need it, and run the local ones', async () => {
    const { code, ok, of, failed, skipped } = await examine(cwd, await settingsWithoutNode());
    expect({ code, ok, failed }).toEqual({ code: 1, ok: false, failed: ['port'] });
    expect(of('port')).toMatchObject({
      code: 'SSH_UNREACHABLE',
      detail: expect.stringContaining('refused'),
      remedy: expect.stringContaining('SSH_PORT'),
    });
    expect(skipped).toEqual(['host-key', 'login', ...AFTER_LOGIN]);
    expect(of('transfer-dirs')).toMatchObject({ verdict: 'ok' });
  });

  test('report an unknown host name', async () => {
    const { of, failed } = await examine(cwd, {
      ...(await settingsWithoutNode()),
      HOST: 'no-such-node.invalid',
    });
    expect(failed).toEqual(['name']);
    expect(of('name')).toMatchObject({
      detail: expect.stringMatching(/(host name does not exist|DNS lookup failed)/),
    });
  });

  test('report a port on which another service listens', async () => {
    const node = await silentNode();
    onTestFinished(() => node.close());
    const { of, failed } = await examine(cwd, {
      ...(await settingsWithoutNode()),
      SSH_PORT: String(node.port),
    });
    expect(failed).toEqual(['port']);
    expect(of('port')).toMatchObject({
      detail: expect.stringContaining('nothing identified itself as an SSH server'),
    });
  });

  test.runIf(process.platform === 'linux')('report dropped packets, as by a firewall', async () => {
    const full = await fullBacklog();
    onTestFinished(full.close);
    const { of, failed } = await examine(cwd, {
      ...(await settingsWithoutNode()),
      SSH_PORT: String(full.port),
    });
    expect(failed).toEqual(['port']);
    expect(of('port')).toMatchObject({
      detail: expect.stringContaining('no answer within 8 s'),
      remedy: expect.stringContaining('firewall'),
    });
  });

  test.runIf(process.platform === 'linux')('end immediately on Ctrl-C', async () => {
    const full = await fullBacklog();
    onTestFinished(full.close);
    const env = { ...(await settingsWithoutNode()), SSH_PORT: String(full.port) };
    const { child, ended } = startCli(['doctor'], { cwd, env });
    let shown = '';
    child.stdout?.on('data', (data: string) => {
      shown += data;
    });
    await until(() => shown.includes('Name'));
    child.kill('SIGINT');
    // The check of the port waits 8 s.
    const late = sleep(4000, 'still running', { ref: false });
    expect(await Promise.race([ended, late])).toMatchObject({
      code: 130,
      stdout: expect.stringMatching(/Name .*\n\nCancelled\. Nothing was changed\.\n$/),
    });
  });
});

/** A port whose connection queue is full: the kernel drops new connections silently. */
async function fullBacklog(): Promise<{ port: number; close: () => void }> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString())));
  });
  const sockets: Socket[] = [];
  for (let i = 0; i < 6; i += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    sockets.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
