import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { CT } from '../rig/rig.ts';
import { runCli } from './run.ts';

const node = new SimulatedNode();
let dir: string;
let client: TestClient;
beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'lockdown-cli-'));
  client = await connectClient({
    env: { ...node.settings(), STATE_DIR: path.join(dir, 'state'), POLICY: 'open' },
  });
});
afterAll(async () => {
  await client.close();
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(() => rm(path.join(dir, 'state', 'lockdown'), { recursive: true, force: true }));

const lockdown = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCli(['lockdown', ...args], { cwd: dir, env: { STATE_DIR: path.join(dir, 'state'), ...env } });
const exec = () => client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command: 'uptime' });
const refusal = async () => failureOf(await exec());

describe('proxmox-mcp lockdown', () => {
  test('stops changes of a running server until it is lifted, and allows reading', async () => {
    expect((await exec()).isError).toBe(false);
    const on = await lockdown([]);
    expect(on).toMatchObject({ code: 0, stdout: expect.stringContaining('HOST is not set') });
    expect(await refusal()).toMatchObject({
      code: 'LOCKED_DOWN',
      suggestion: expect.stringContaining('a lockdown is in force'),
    });
    expect((await client.callTool('proxmox_container_status', { vmid: CT.debian })).isError).toBe(false);
    expect(await lockdown(['--off'])).toMatchObject({ code: 0 });
    expect((await exec()).isError).toBe(false);
  });

  test('expires after --for', async () => {
    expect(await lockdown(['--for', '30m'])).toMatchObject({ code: 0 });
    expect((await refusal()).code).toBe('LOCKED_DOWN');
    await writeFile(path.join(dir, 'state', 'lockdown'), '1\n');
    expect((await exec()).isError).toBe(false);
  });

  test('stays in force for invalid file content', async () => {
    await writeFile(path.join(dir, 'state', 'lockdown'), 'off\n');
    expect((await refusal()).code).toBe('LOCKED_DOWN');
  });

  test('locks down this machine and exits with 1 when the node cannot be reached', async () => {
    const { code, stdout, stderr } = await lockdown([], await settingsWithoutNode());
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('This machine: locked down'),
    });
    expect(stderr).toContain('Servers on other machines are not affected');
    expect((await refusal()).code).toBe('LOCKED_DOWN');
  });

  test('locks down servers on other machines through the node, without another round trip', async () => {
    const settings = node.settings();
    const on = await lockdown(['--for', '1h'], settings);
    expect(on).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Cluster: locked down'),
    });
    const other = await connectClient({ env: { ...settings, POLICY: 'open', ENABLE_HOST_EXEC: 'true' } });
    try {
      const call = (tool: string, args: object) => other.callTool(`proxmox_${tool}`, { ...args });
      const inContainer = { vmid: CT.debian, command: 'touch /tmp/locked' };
      for (const [tool, args] of [
        ['container_exec_command', inContainer],
        ['stop_container', { vmid: CT.debian }],
        ['host_exec_command', { command: 'true' }],
      ] as const) {
        expect(failureOf(await call(tool, args)), tool).toMatchObject({ code: 'LOCKED_DOWN' });
      }
      expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain('locked');
      expect((await call('container_status', { vmid: CT.debian })).isError).toBe(false);
      // While the cluster file system hangs, the copy on the node decides.
      const undo = await node.pmxcfs('hangs');
      try {
        await call('list_containers', {});
        expect(failureOf(await call('container_exec_command', inContainer))).toMatchObject({
          code: 'LOCKED_DOWN',
        });
      } finally {
        await undo();
      }
      expect(await lockdown(['--off'], settings)).toMatchObject({ code: 0 });
      expect((await call('container_exec_command', inContainer)).isError).toBe(false);
    } finally {
      await other.close();
    }
  });

  test.each([
    [['--for', 'soon'], 'a duration such as 30m'],
    [['--for', '0m'], 'a duration such as 30m'],
    [['--for', '1h', '--off'], 'exclude each other'],
  ])('%j is refused without effect', async (args, text) => {
    expect(await lockdown(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
    expect((await exec()).isError).toBe(false);
  });
});
