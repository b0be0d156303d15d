import { expect, test } from 'vitest';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { clientApps, entryFor, launchOf } from './clients.ts';

function at(platform: NodeJS.Platform, home: string, env: Record<string, string> = {}): HostEnvironment {
  return { platform, env, home, cwd: home, username: 'me' };
}

test.each([
  [
    at('darwin', '/Users/me'),
    '/Users/me/Library/Application Support/Claude/claude_desktop_config.json',
    '/Users/me/Library/Application Support/Code/User/mcp.json',
    '/Users/me/.cursor/mcp.json',
  ],
  [
    at('linux', '/home/me'),
    '/home/me/.config/Claude/claude_desktop_config.json',
    '/home/me/.config/Code/User/mcp.json',
    '/home/me/.cursor/mcp.json',
  ],
  [
    at('win32', 'C:\\Users\\me', { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' }),
    'C:\\Users\\me\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    'C:\\Users\\me\\AppData\\Roaming\\Code\\User\\mcp.json',
    'C:\\Users\\me\\.cursor\\mcp.json',
  ],
])('paths of %o', (surroundings, desktop, code, cursor) => {
  const files = Object.fromEntries(
    clientApps(surroundings, surroundings.home).map((app) => [app.id, app.file]),
  );
  expect(files).toMatchObject({ 'claude-desktop': desktop, vscode: code, cursor });
});

test('Claude Code is set up per project', () => {
  const app = clientApps(at('linux', '/home/me'), '/srv/project').find(({ id }) => id === 'claude-code');
  expect(app?.file).toBe('/srv/project/.mcp.json');
});

test('an entry names program and env file, and no setting', () => {
  const entries = clientApps(at('linux', '/home/me'), '/p').map((app) =>
    entryFor(app, { command: 'node', args: ['/x/bin.js'] }, '/p/.env'),
  );
  const args = ['/x/bin.js', '--env-file', '/p/.env'];
  expect(entries).toEqual([
    { command: 'node', args },
    { type: 'stdio', command: 'node', args },
    { type: 'stdio', command: 'node', args },
    { command: 'node', args },
  ]);
});

test('an entry has the variables that clients do not pass on', () => {
  for (const app of clientApps(at('linux', '/home/me'), '/p')) {
    const entry = entryFor(
      app,
      { command: 'node', args: [], env: { SSH_AUTH_SOCK: '/run/agent' } },
      '/p/.env',
    );
    expect(entry.env).toEqual({ SSH_AUTH_SOCK: '/run/agent' });
    expect(entryFor(app, { command: 'node', args: [], env: {} }, '/p/.env')).not.toHaveProperty('env');
  }
});

test.each([
  [
    'linux',
    '/home/me/.npm/_npx/abc/node_modules/proxmox-mcp-server/dist/bin.js',
    'npx',
    ['-y', 'proxmox-mcp-server'],
  ],
  ['win32', 'C:\\cache\\_npx\\abc\\dist\\bin.js', 'cmd', ['/c', 'npx', '-y', 'proxmox-mcp-server']],
  ['linux', '/opt/x/dist/bin.js', '/usr/bin/node', ['/opt/x/dist/bin.js']],
] as const)('on %s, %s is started as %s', (platform, script, command, args) => {
  expect(launchOf({ platform, execPath: '/usr/bin/node', execArgv: [], script })).toEqual({ command, args });
});
