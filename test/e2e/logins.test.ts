import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { execResult, failureOf } from './connect.ts';
import { describeNode } from './nodes.ts';

describeNode('login methods', [], (node, { needing }) => {
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-home-'));
    await mkdir(path.join(home, '.ssh'), { mode: 0o700 });
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  /** Logs in with only these settings and runs a command. */
  async function logsIn(env: Record<string, string>): Promise<void> {
    let client: TestClient | undefined;
    try {
      client = await connectClient({ env: { HOME: home, ...env } });
      const args = { vmid: CT.busybox, command: 'echo in' };
      expect(execResult(await client.callTool('proxmox_container_exec_command', args)).stdout).toBe('in\n');
    } finally {
      await client?.close();
    }
  }
  const base = (...without: string[]) =>
    Object.fromEntries(Object.entries(node.settings()).filter(([name]) => !without.includes(name)));

  test('SSH_PASSWORD', () => logsIn({ ...base('SSH_KEY'), SSH_PASSWORD: node.password() }));

  test('SSH_PASSWORD_FILE', async () => {
    const file = path.join(home, 'password');
    await writeFile(file, `${node.password()}\n`, { mode: 0o600 });
    await logsIn({ ...base('SSH_KEY'), SSH_PASSWORD_FILE: file });
  });

  test('an encrypted key', () => {
    const { encrypted, passphrase } = node.keys();
    return logsIn({ ...base(), SSH_KEY: encrypted, SSH_KEY_PASSPHRASE: passphrase });
  });

  needing('ssh-agent', 'the agent', async () => {
    const socket = path.join(home, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await until(() => {
        try {
          execFileSync('ssh-add', ['-q', node.keys().plain], {
            env: { SSH_AUTH_SOCK: socket },
            stdio: 'ignore',
          });
          return true;
        } catch {
          return false;
        }
      });
      await logsIn({ ...base('SSH_KEY'), SSH_AUTH_SOCK: socket });
    } finally {
      agent.kill();
    }
  });

  test('a key in ~/.ssh', async () => {
    const key = path.join(home, '.ssh/id_ed25519');
    await writeFile(key, await readFile(node.keys().plain), { mode: 0o600 });
    try {
      await logsIn(base('SSH_KEY'));
    } finally {
      await rm(key);
    }
  });

  test('an alias of ~/.ssh/config, with user, port, key and jump host', async () => {
    const config = path.join(home, '.ssh/config');
    const { HOST, SSH_PORT, SSH_KNOWN_HOSTS } = node.settings();
    const common = `  HostName ${HOST}\n  Port ${SSH_PORT}\n  IdentityFile ${node.keys().plain}\n  UserKnownHostsFile ${SSH_KNOWN_HOSTS}\n`;
    await writeFile(
      config,
      `Host bastion\n  User operator\n${common}Host node\n  User root\n  ProxyJump bastion\n${common}`,
    );
    await chmod(config, 0o600);
    try {
      await logsIn({ ...base('SSH_KEY', 'SSH_PORT', 'SSH_KNOWN_HOSTS'), HOST: 'node' });
    } finally {
      await rm(config);
    }
  });

  test('SSH_JUMP', () => {
    const { HOST, SSH_PORT } = node.settings();
    return logsIn({ ...base(), SSH_JUMP: `operator@${HOST}:${SSH_PORT}` });
  });

  test('reports a wrong password without printing it', async () => {
    const client = await connectClient({
      env: { HOME: home, ...base('SSH_KEY'), SSH_PASSWORD: 'wrong-secret' },
    });
    try {
      const result = await client.callTool('proxmox_list_containers');
      expect(failureOf(result).code).toBe('SSH_AUTH_FAILED');
      expect(result.text + client.stderr()).not.toContain('wrong-secret');
    } finally {
      await client.close();
    }
  });
});
