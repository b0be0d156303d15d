import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { examine } from '../cli/doctor-report.ts';
import { connectToRig, execResult, failureOf, rigSettings } from '../e2e/connect.ts';
import type { TestClient } from '../mcp/client.ts';
import { describeRig } from '../rig/require.ts';
import { CT, type Rig, type Undo } from '../rig/rig.ts';

const files = { bash: '.bashrc', zsh: '.zshenv', fish: '.config/fish/config.fish' };

async function inNode(rig: Rig, ...argv: [string, ...string[]]): Promise<void> {
  expect(await rig.inNode(argv)).toMatchObject({ code: 0 });
}

/** Gives root a login shell and its start file; the undo restores the original ones. */
async function loginShell(rig: Rig, shell: keyof typeof files, start: string): Promise<Undo> {
  const file = `/root/${files[shell]}`;
  await inNode(rig, 'mkdir', '-p', '/root/.config/fish');
  await rig.writeInNode(file, `${start}\n`);
  await inNode(rig, 'usermod', '-s', `/usr/bin/${shell}`, 'root');
  return async () => {
    await inNode(rig, 'rm', '-f', file);
    await inNode(rig, 'usermod', '-s', '/bin/bash', 'root');
  };
}

/** Puts an option before each key that the node accepts. */
async function prefixKeys(rig: Rig, option: string): Promise<Undo> {
  const file = '/etc/ssh/rig/authorized_keys';
  const before = await rig.readInNode(file);
  await rig.writeInNode(file, before.toString().replaceAll(/^(?=ssh-)/gm, `${option} `));
  return () => rig.writeInNode(file, before);
}

describeRig('login shells', (rig) => {
  const undos: (() => Promise<unknown>)[] = [];
  let cwd = '';
  beforeAll(async () => {
    cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-shells-'));
  });
  afterEach(async () => {
    for (const undo of undos.splice(0).reverse()) await undo();
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  const connect = async (): Promise<TestClient> => {
    const client = await connectToRig(rig, { env: { ENABLE_HOST_EXEC: 'true', TRANSFER_DIRS: cwd } });
    undos.push(() => client.close());
    return client;
  };

  describe('that print output', () => {
    test.each([
      ['bash', 'echo Welcome; printf "no newline"; echo more >&2'],
      ['bash', 'export LC_ALL=de_DE.UTF-8 LANG=xx_XX.UTF-8'],
      ['bash', '. "$HOME/.cargo/env"'],
      ['bash', 'echo "Permission denied" >&2; false'],
      ['bash', 'sleep 1.5'],
      ['bash', 'export PATH=/opt/bin'],
      ['bash', 'exec bash'],
      ['bash', 'read -p "Start tmux? " x; echo "you said $x"'],
      ['zsh', 'echo Welcome; echo more >&2; false'],
      ['fish', 'echo Welcome; echo more >&2; false'],
    ] as const)('do not affect a command: %s with `%s`', async (shell, start) => {
      undos.push(await loginShell(rig, shell, start));
      const client = await connect();
      for (let i = 0; i < 3; i++) {
        const command = 'echo out; echo err >&2; exit 3';
        const args = { vmid: CT.debian, command };
        const result = execResult(await client.callTool('proxmox_container_exec_command', args));
        expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exit_code: 3 });
      }
      const host = await client.callTool('proxmox_host_exec_command', { command: 'echo on host' });
      expect(execResult(host)).toMatchObject({ stdout: 'on host\n', stderr: '', exit_code: 0 });
      const stopped = { vmid: CT.stopped, command: 'true' };
      expect(failureOf(await client.callTool('proxmox_container_exec_command', stopped)).code).toBe(
        'CONTAINER_NOT_RUNNING',
      );
    });

    test('do not affect start and stop', async () => {
      undos.push(await loginShell(rig, 'bash', 'echo Welcome to pve; echo 1'));
      const client = await connect();
      const started = await client.callTool('proxmox_start_container', { vmid: CT.stopped });
      expect(started.data).toMatchObject({ success: true, changed: true });
      const stopped = await client.callTool('proxmox_stop_container', { vmid: CT.stopped });
      expect(stopped.data).toMatchObject({ success: true, how: 'shutdown' });
      expect(rig.isRunning(CT.stopped)).toBe(false);
    });

    test('pass doctor, which warns of one that reads its input', async () => {
      undos.push(await loginShell(rig, 'bash', 'echo Welcome; export LC_ALL=de_DE.UTF-8'));
      const talking = await examine(cwd, rigSettings(rig), ['--exec', String(CT.debian)]);
      expect(talking).toMatchObject({ code: 0, failed: [], warned: ['nodes'] });
      undos.push(await loginShell(rig, 'bash', 'printf "Start tmux? "; read x'));
      const asking = await examine(cwd, rigSettings(rig));
      expect(asking.warned).toEqual(['proxmox', 'nodes']);
      expect(asking.of('proxmox')?.detail).toContain('Start tmux?');
    });
  });

  describe('that prevent commands', () => {
    test.each([
      ['exec zsh', /replaces the login shell with zsh/],
      ['exec fish', /replaces the login shell with fish/],
      ['exec 2>/dev/null', /redirects stderr/],
      ['exec > >(tee -a /tmp/session.log) 2>&1', /redirects stderr/],
      ['exec >/dev/null', /redirects stdout/],
      ['exec 1>&-', /redirects stdout/],
      ['bash', /exit codes do not arrive/],
      ['su - operator', /exit codes do not arrive/],
      ['echo "No commands here"; exit 5', /"No commands here".*/],
      [
        'while :; do printf "Your name? "; read x || exec sleep 60; done',
        /waits for input after .*Your name\?/,
      ],
      ['cat', /a program that reads the commands in place of \/bin\/sh/],
      ['yes', /prints without an end/],
    ] as const)('are reported by each call and by doctor: `%s` in .bashrc', async (start, cause) => {
      undos.push(await loginShell(rig, 'bash', start));
      const client = await connect();
      const calls = await Promise.all([
        client.callTool('proxmox_list_containers', {}),
        client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command: 'true' }),
        client.callTool('proxmox_start_container', { vmid: CT.stopped }),
      ]);
      for (const call of calls) {
        expect(failureOf(call)).toMatchObject({
          code: 'SSH_NO_SESSION',
          error: expect.stringMatching(cause),
          suggestion: expect.stringContaining('.bashrc'),
        });
      }
      const { of, failed } = await examine(cwd, rigSettings(rig));
      expect(failed).toEqual(['proxmox']);
      expect(of('proxmox')).toMatchObject({
        code: 'SSH_NO_SESSION',
        detail: expect.stringMatching(cause),
      });
    });

    test.each(['/usr/sbin/nologin', '/bin/rbash'])(
      'are reported by each call and by doctor: %s',
      async (shell) => {
        await inNode(rig, 'ln', '-sf', 'bash', '/bin/rbash');
        await inNode(rig, 'usermod', '-s', shell, 'root');
        undos.push(() => inNode(rig, 'usermod', '-s', '/bin/bash', 'root'));
        const client = await connect();
        expect(failureOf(await client.callTool('proxmox_list_containers', {}))).toMatchObject({
          code: 'SSH_NO_SESSION',
          error: expect.stringMatching(/not available|restricted/),
          suggestion: expect.stringContaining('nologin, rbash'),
        });
        const { of } = await examine(cwd, rigSettings(rig));
        expect(of('proxmox')).toMatchObject({ remedy: expect.stringContaining('nologin, rbash') });
      },
    );

    test.each([
      ['passes the exit code on', 'sh -c "$SSH_ORIGINAL_COMMAND"; code=$?; exit "$code"'],
      ['replaces itself', 'exec sh -c "$SSH_ORIGINAL_COMMAND"'],
    ])('do not include a ForceCommand that %s', async (_name, force) => {
      undos.push(await rig.restartSshd(['-o', `ForceCommand=${force}`]));
      const client = await connect();
      const args = { vmid: CT.debian, command: 'echo out; exit 3' };
      const result = execResult(await client.callTool('proxmox_container_exec_command', args));
      expect(result).toMatchObject({ stdout: 'out\n', exit_code: 3 });
    });

    test.each([
      ['root', 'su'],
      ['root', 'su -'],
      ['root', 'su - root -c "$SSH_ORIGINAL_COMMAND"'],
      ['root', 'bash -c "$SSH_ORIGINAL_COMMAND"'],
      ['root', 'tee -a /tmp/log | $SSH_ORIGINAL_COMMAND'],
      ['admin', 'sudo -i'],
      ['admin', 'sudo su -'],
      ['admin', 'sudo -i sh -c "$SSH_ORIGINAL_COMMAND"'],
      ['root', 'command="logger -t ssh login; $SSH_ORIGINAL_COMMAND" in authorized_keys'],
    ] as const)('do not change a result: %s with ForceCommand `%s`', async (user, force) => {
      const inKeys = /^command=.*(?= in authorized_keys$)/.exec(force)?.[0];
      if (inKeys === undefined) undos.push(await rig.restartSshd(['-o', `ForceCommand=${force}`]));
      else undos.push(await prefixKeys(rig, inKeys));
      const env = { SSH_USERNAME: user, ENABLE_HOST_EXEC: 'true', TRANSFER_DIRS: cwd };
      const client = await connectToRig(rig, { env });
      undos.push(() => client.close());
      const inDebian = (command: string, timeout = 60) =>
        client.callTool('proxmox_container_exec_command', { vmid: CT.debian, command, timeout });
      const command = 'echo out; echo err >&2; cat; exit 3';
      const result = { stdout: 'out\n', stderr: 'err\n', exit_code: 3 };
      expect(execResult(await inDebian(command))).toMatchObject(result);
      const onHost = await client.callTool('proxmox_host_exec_command', { command });
      expect(execResult(onHost)).toMatchObject(result);
      expect(execResult(await inDebian('kill -9 $$'))).toMatchObject({ exit_code: 137, stderr: '' });
      const killed = execResult(await inDebian('echo out; echo err >&2; sleep 60', 2));
      expect(killed).toMatchObject({ ended: 'timeout', stdout: 'out\n', stderr: 'err\n', survivors: [] });
      const content = randomBytes(100_000);
      await writeFile(path.join(cwd, 'sent'), content);
      const file = { vmid: CT.debian, container_path: '/root/sent', overwrite: true };
      const sent = await client.callTool('proxmox_upload_file_to_container', { ...file, local_path: 'sent' });
      expect(sent.isError).toBe(false);
      expect((await rig.readInContainer(CT.debian, '/root/sent')).equals(content)).toBe(true);
      const { failed } = await examine(cwd, { ...rigSettings(rig), ...env }, ['--exec', String(CT.debian)]);
      expect(failed).toEqual([]);
    });

    test.each([
      ['script -qec "$SSH_ORIGINAL_COMMAND" /dev/null', /puts a terminal around the session/],
      ['sh -c "$SSH_ORIGINAL_COMMAND" 2>&1', /ForceCommand redirects stderr/],
      ['internal-sftp', /another program ran instead.*sftp connections only/],
      ['su operator', /sudo|PERMISSION|not root|permission/i],
    ])('are reported by each call and by doctor: ForceCommand `%s`', async (force, cause) => {
      undos.push(await rig.restartSshd(['-o', `ForceCommand=${force}`]));
      const client = await connect();
      for (const [tool, args] of [
        ['list_containers', {}],
        ['container_exec_command', { vmid: CT.debian, command: 'true' }],
      ] as const) {
        expect(failureOf(await client.callTool(`proxmox_${tool}`, args)).error).toMatch(cause);
      }
      const { checks } = await examine(cwd, rigSettings(rig));
      expect(checks.find(({ verdict }) => verdict === 'fail')?.detail).toMatch(cause);
    });

    test('are reported by each call: a ForceCommand that loses the exit code', async () => {
      undos.push(await rig.restartSshd(['-o', 'ForceCommand=sh -c "$SSH_ORIGINAL_COMMAND"; true']));
      const client = await connect();
      const args = { vmid: CT.debian, command: 'exit 3' };
      expect(failureOf(await client.callTool('proxmox_container_exec_command', args))).toMatchObject({
        code: 'SSH_NO_SESSION',
        error: expect.stringContaining('exit codes do not arrive'),
        suggestion: expect.stringContaining('exec'),
      });
    });

    test.each([
      ['NOPASSWD: NOEXEC: /bin/sh', 'NOEXEC', 'EXEC: /bin/sh'],
      ['NOPASSWD: /bin/sh\nDefaults:operator noexec', 'NOEXEC', 'EXEC: /bin/sh'],
      ['NOPASSWD: /bin/sh\nDefaults:operator intercept', 'INTERCEPT', 'NOINTERCEPT'],
      [
        'NOPASSWD: /bin/sh\nDefaults:operator log_output, iolog_dir=/mnt/rig-ro/x',
        'unable to mkdir /mnt/rig-ro/x',
        'sudoers',
      ],
    ])('are reported by each call and by doctor: the sudo rule `%s`', async (rule, cause, remedy) => {
      const file = '/etc/sudoers.d/rig-operator';
      const before = await rig.readInNode(file);
      undos.push(() => rig.writeInNode(file, before));
      await rig.writeInNode(file, `operator ALL=(root) ${rule}\n`);
      const env = { ...rigSettings(rig), SSH_USERNAME: 'operator', SUDO: 'true' };
      const client = await connectToRig(rig, { env });
      undos.push(() => client.close());
      for (const [tool, args] of [
        ['list_containers', {}],
        ['container_exec_command', { vmid: CT.debian, command: 'true' }],
        ['start_container', { vmid: CT.stopped }],
      ] as const) {
        expect(failureOf(await client.callTool(`proxmox_${tool}`, args))).toMatchObject({
          code: 'PERMISSION_DENIED',
          error: expect.stringContaining(cause),
          suggestion: expect.stringContaining(remedy),
        });
      }
      const { of, failed } = await examine(cwd, env);
      expect(failed).toEqual(['rights']);
      expect(of('rights')).toMatchObject({
        code: 'PERMISSION_DENIED',
        detail: expect.stringContaining(cause),
        remedy: expect.stringContaining(remedy),
      });
    });

    test('are reported by each call and by doctor: a ForceCommand', async () => {
      undos.push(await rig.restartSshd(['-o', 'ForceCommand=/bin/echo only-this']));
      const client = await connect();
      const cause = expect.stringContaining('only-this');
      for (const [tool, args] of [
        ['list_containers', {}],
        ['container_exec_command', { vmid: CT.debian, command: 'true' }],
      ] as const) {
        expect(failureOf(await client.callTool(`proxmox_${tool}`, args))).toMatchObject({
          code: 'SSH_NO_SESSION',
          error: cause,
          suggestion: expect.stringContaining('ForceCommand'),
        });
      }
      const { of } = await examine(cwd, rigSettings(rig));
      expect(of('proxmox')).toMatchObject({
        code: 'SSH_NO_SESSION',
        detail: cause,
        remedy: expect.stringContaining('ForceCommand'),
      });
    });
  });
});
