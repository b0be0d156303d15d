import { expect, test } from 'vitest';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { clientApps, entryFor } from './clients.ts';
import { launchOf } from './launch.ts';
import { claudeCodeCommand, snippetFor } from './snippet.ts';

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
])('finds the configuration files in %o', (surroundings, desktop, code, cursor) => {
  const files = Object.fromEntries(clientApps(surroundings, false).map((app) => [app.id, app.file]));
  expect(files).toMatchObject({ 'claude-desktop': desktop, vscode: code, cursor });
});

test('finds the separate directory of the packaged Claude Desktop on Windows', () => {
  const windows = at('win32', 'C:\\Users\\me', { LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local' });
  const files = clientApps(windows, true).map(({ file }) => file);
  expect(files).toContain(
    'C:\\Users\\me\\AppData\\Local\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json',
  );
});

test('configures Claude Code for the user, not for a project', () => {
  const app = clientApps(at('linux', '/home/me'), false).find(({ id }) => id === 'claude-code');
  expect(app?.file).toBe('/home/me/.claude.json');
});

const LAUNCH = { command: '/usr/bin/node', args: ['/x/bin.js'] };

/** Clients that give up a call after about a minute. */
const CUTS_CALLS = ['claude-desktop', 'cursor', 'windsurf', 'codex'];

test('writes the program and the configuration file into an entry, and WAIT_LIMIT for clients that cut calls', () => {
  const apps = clientApps(at('linux', '/home/me'), false);
  const args = ['/x/bin.js', '--config', '/c.env'];
  for (const app of apps) {
    const { type, ...entry } = entryFor(app, LAUNCH, '/c.env');
    const env = CUTS_CALLS.includes(app.id) ? { env: { WAIT_LIMIT: '45s' } } : {};
    expect(entry).toEqual({ command: '/usr/bin/node', args, ...env });
    expect(type).toBe(['claude-code', 'vscode'].includes(app.id) ? 'stdio' : undefined);
  }
});

test('writes variables that clients do not pass on into an entry, in both formats', () => {
  const env = { SSH_AUTH_SOCK: '/run/agent' };
  for (const app of clientApps(at('linux', '/home/me'), false)) {
    const limit = CUTS_CALLS.includes(app.id) ? { WAIT_LIMIT: '45s' } : {};
    expect(entryFor(app, { ...LAUNCH, env }, '/c.env').env).toEqual({ ...env, ...limit });
    if (!CUTS_CALLS.includes(app.id)) {
      expect(entryFor(app, { ...LAUNCH, env: {} }, '/c.env')).not.toHaveProperty('env');
    }
    if (app.format === 'toml')
      expect(snippetFor(app, { ...LAUNCH, env }, '/c.env').text).toContain(
        '\nenv = { SSH_AUTH_SOCK = "/run/agent", WAIT_LIMIT = "45s" }\n',
      );
  }
});

test('prints a snippet in the format of the client, and a command quoted for the shell', () => {
  const apps = clientApps(at('linux', '/home/me'), false);
  const texts = apps.map((app) => [app.id, snippetFor(app, LAUNCH, '/my c.env').text] as const);
  const of = Object.fromEntries(texts);
  expect(JSON.parse(of.vscode ?? '')).toEqual({
    servers: {
      proxmox: { type: 'stdio', command: '/usr/bin/node', args: ['/x/bin.js', '--config', '/my c.env'] },
    },
  });
  expect(of.codex).toBe(
    '[mcp_servers.proxmox]\ncommand = "/usr/bin/node"\nargs = ["/x/bin.js", "--config", "/my c.env"]\nenv = { WAIT_LIMIT = "45s" }\n',
  );
  expect(claudeCodeCommand(LAUNCH, '/my c.env')).toBe(
    "claude mcp add --scope user proxmox -- /usr/bin/node /x/bin.js --config '/my c.env'",
  );
});

const PUBLISHED = { name: 'proxmox-mcp-server', published: true };
const CACHED = '/home/me/.npm/_npx/abc/node_modules/proxmox-mcp-server/dist/bin.js';

test.each([
  ['linux', CACHED, PUBLISHED, 'npx', ['-y', 'proxmox-mcp-server']],
  [
    'win32',
    'C:\\cache\\_npx\\abc\\dist\\bin.js',
    PUBLISHED,
    'cmd',
    ['/c', 'npx', '-y', 'proxmox-mcp-server'],
  ],
  // If the package is not published, npx would run a package that anyone could register under this name.
  ['linux', CACHED, { ...PUBLISHED, published: false }, '/usr/bin/node', [CACHED]],
  ['linux', '/opt/x/dist/bin.js', PUBLISHED, '/usr/bin/node', ['/opt/x/dist/bin.js']],
] as const)('on %s, launches %s (%o) with %s', (platform, script, info, command, args) => {
  const running = { platform, execPath: '/usr/bin/node', execArgv: [], script };
  expect(launchOf(running, info)).toEqual({ command, args });
});
