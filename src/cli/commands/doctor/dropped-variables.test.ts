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

describe('the agent', () => {
  test('is named by a variable, for the target or a hop; once', () => {
    const hop = { ...target, agent: '/run/agent', agentVariable: 'SSH_AUTH_SOCK' };
    expect(agentVariables({ ...hop, jumps: [hop] })).toMatchObject([
      { name: 'SSH_AUTH_SOCK', value: '/run/agent' },
    ]);
    expect(agentVariables({ ...target, jumps: [hop] })).toHaveLength(1);
  });

  test('that ~/.ssh/config names by its path is known to every server', () => {
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
])('%s lasts: %s', (socket, lasts) => {
  expect(isLastingSocket(socket)).toBe(lasts);
});

describe('directories', () => {
  const at = (env: Record<string, string>): HostEnvironment => ({
    platform: 'linux',
    env,
    home: '/home/me',
    cwd: '/',
    username: 'me',
  });
  const moved = { ...target, knownHostsWriteFile: '/c/proxmox-mcp/known_hosts' };

  test('that were moved, and are used', () => {
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
      'the usual ones',
      { XDG_CONFIG_HOME: '/home/me/.config', XDG_STATE_HOME: '/home/me/.local/state' },
      target,
    ],
    ['not used, as settings name others', { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, target],
  ])('%s: nothing to be told', (_name, env, seen) => {
    expect(directoryVariables({ stateDir: '/srv/state' }, seen, at(env))).toEqual([]);
  });
});
