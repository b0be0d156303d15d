import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uniqueSleep } from '../e2e/connect.ts';
import { describeNode } from '../e2e/nodes.ts';
import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { toolNames } from '../mcp/tool-names.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { runCli, startCli } from './run.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-call-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe('call without a node', () => {
  test.each([
    [['call'], 'call needs a tool'],
    [['call', 'list_contaners'], 'Did you mean list_containers?'],
    [['call', 'list_containers', 'x'], 'neither name=value'],
    [['call', 'list_containers', '--exec', '101'], '--exec'],
  ])('exits with 2 for %j: %s', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args, { cwd, env: await settingsWithoutNode() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('validates settings as serve does', async () => {
    const { code, stdout, stderr } = await runCli(['call', 'list_containers'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('HOST is not set');
  });

  test('exits with 1 for an unreachable node, with code and suggestion as text or JSON', async () => {
    const env = { ...(await settingsWithoutNode()), LOG_LEVEL: '' };
    const text = await runCli(['call', 'list_containers'], { cwd, env });
    expect(text).toMatchObject({ code: 1, stdout: '' });
    expect(text.stderr).toMatch(/^Error \(SSH_UNREACHABLE\): .*refused.*\nSuggestion: /);
    const json = await runCli(['call', 'list_containers', '--json'], { cwd, env });
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ success: false, code: 'SSH_UNREACHABLE' });
  });

  test('exits with 2 for invalid arguments, before it connects', async () => {
    const { code, stderr } = await runCli(['call', 'stop_container', 'vmid=1'], {
      cwd,
      env: await settingsWithoutNode(),
    });
    expect(code).toBe(2);
    expect(stderr).toContain('Error (INVALID_INPUT)');
  });

  test('enforces READ_ONLY', async () => {
    const env = { ...(await settingsWithoutNode()), READ_ONLY: 'true' };
    const { code, stderr } = await runCli(['call', 'start_container', 'vmid=101'], { cwd, env });
    expect(code).toBe(1);
    expect(stderr).toContain('Error (READ_ONLY)');
  });
});

describe('tools', () => {
  test('lists every tool, aligned, without any setting', async () => {
    const { code, stdout, stderr } = await runCli(['tools'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^container_exec_command {2,}exec {2,}\S/m);
    expect(stdout).toMatch(/^list_containers {2,}read {2,}\S/m);
    expect(stdout).not.toContain('\u001B');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('lists the tools that a client sees, with schemas for --json', async () => {
    const { code, stdout } = await runCli(['tools', '--json', '--read-only'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      tools: toolNames(({ effect, discloses }) => effect === 'read' && discloses !== true).map((name) =>
        expect.objectContaining({ name: `proxmox_${name}`, inputSchema: expect.any(Object) }),
      ),
    });
  });
});

describeNode('call', [], (node) => {
  const run = (args: readonly string[], stdin?: string) =>
    runCli(['call', ...args], { cwd, env: node.settings(), ...(stdin === undefined ? {} : { stdin }) });

  test('prints a table, or the structured content with --json', async () => {
    const text = await run(['list_containers', '--log-level', 'error']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(new RegExp(`^${CT.debian} {2}running {2}debian`, 'm'));
    const json = await run(['proxmox_list_containers', '--json']);
    expect(JSON.parse(json.stdout).containers).toContainEqual(expect.objectContaining({ vmid: CT.debian }));
  });

  test('exits with the exit code of the command', async () => {
    const args = ['container_exec_command', `vmid=${CT.busybox}`];
    expect(await run([...args, 'command=echo in; exit 7'])).toMatchObject({
      code: 7,
      stdout: expect.stringMatching(
        /^STDOUT:\n\[output (\w{8}) begins\]\nin\n\[output \1 ends\]\n\nExit code: 7\n$/,
      ),
    });
    expect((await run([...args, 'command=true'])).code).toBe(0);
    const timedOut = await run([...args, 'command=sleep 60', 'timeout=1']);
    expect(timedOut.code).toBe(1);
    expect(timedOut.stderr).toContain('Error (TIMEOUT)');
  });

  test('reads arguments from stdin', async () => {
    const { code, stdout } = await run(
      ['container_exec_command', '-', '--json'],
      JSON.stringify({ vmid: CT.debian, command: 'echo "$0 \' é"' }),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: 0, stdout: "bash ' é\n" });
  });

  test.runIf(process.platform !== 'win32')('kills the command on Ctrl-C, and reports it', async () => {
    const seconds = uniqueSleep();
    const { child, ended } = startCli(
      [
        'call',
        'container_exec_command',
        `vmid=${CT.debian}`,
        `command=setsid sleep ${seconds} & sleep ${seconds}`,
      ],
      { cwd, env: node.settings() },
    );
    await until(async () => (await node.containerProcesses(CT.debian, seconds)).length > 1);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('None of its processes is left.');
    expect(await node.containerProcesses(CT.debian, seconds)).toEqual([]);
  });
});
