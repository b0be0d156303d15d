import { describe, expect, test } from 'vitest';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { agentVariables, directoryVariables, isLastingSocket } from './dropped-variables.ts';

const target: SshTarget = {
  host: 'pve',
  port: 22,
  username: 'root',
  identityFiles: [],
  jumps: [],
  hostKeyPolicy: 'strict',
  knownHostsFiles: [],
  knownHostsWriteFile: '/home/me/.config/proxmox-mcp/known_hosts',
};

describe('agentVariables', () => {
  test('lists the variable once, for the target or a hop', () => {
    const hop = { ...target, agent: '/run/agent', agentVariable: 'SSH_AUTH_SOCK' };
    expect(agentVariables({ ...hop, jumps: [hop] })).toMatchObject([
      { name: 'SSH_AUTH_SOCK', value: '/run/agent' },
    ]);
    expect(agentVariables({ ...target, jumps: [hop] })).toHaveLength(1);
  });

  test('omits an agent that ~/.ssh/config names by path', () => {
    expect(agentVariables({ ...target, agent: '/run/agent' })).toEqual([]);
  });
});

test.each([
  ['/run/user/1000/ssh-agent.socket', true],
  ['/run/user/1000/keyring/ssh', true],
  ['/home/me/.1password/agent.sock', true],
  ['\\\\.\\pipe\\openssh-ssh-agent', true],
  ['/tmp/ssh-XXabc123/agent.4711', false],
  ['/run/user/1000/ssh-abc/agent.12', false],
  ['/private/tmp/com.apple.launchd.Yc2aX/Listeners', false],
  ['/var/folders/xy/T/agent', false],
  ['/home/me/.ssh/agent/s.abc.agent.def', false],
])('classifies the socket %s as lasting: %s', (socket, lasts) => {
  expect(isLastingSocket(socket)).toBe(lasts);
});

describe('directoryVariables', () => {
  const at = (env: Record<string, string>): HostEnvironment => ({
    platform: 'linux',
    env,
    home: '/home/me',
    cwd: '/',
    username: 'me',
  });
  const moved = { ...target, knownHostsWriteFile: '/c/proxmox-mcp/known_hosts' };

  test('lists relocated directories that are in use', () => {
    const env = { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' };
    const found = directoryVariables({ stateDir: '/s/proxmox-mcp' }, moved, at(env));
    expect(found.map(({ name, value }) => [name, value])).toEqual([
      ['XDG_CONFIG_HOME', '/c'],
      ['XDG_STATE_HOME', '/s'],
    ]);
  });

  test.each([
    ['unset', {}, target],
    [
      'the defaults',
      { XDG_CONFIG_HOME: '/home/me/.config', XDG_STATE_HOME: '/home/me/.local/state' },
      target,
    ],
    ['replaced by settings', { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, target],
  ])('lists nothing when the directories are %s', (_name, env, seen) => {
    expect(directoryVariables({ stateDir: '/srv/state' }, seen, at(env))).toEqual([]);
  });
});
