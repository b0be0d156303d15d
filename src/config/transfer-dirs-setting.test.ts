import { expect, test } from 'vitest';
import type { HostEnvironment } from './host-environment.ts';
import { configSchema } from './settings-schema.ts';
import { transferDirsOf } from './transfer-dirs-setting.ts';

function at(platform: NodeJS.Platform, home: string, cwd: string): HostEnvironment {
  const env = platform === 'win32' ? { SystemRoot: 'D:\\Win', APPDATA: `${home}\\AppData\\Roaming` } : {};
  return { platform, env, home, cwd, username: 'me' };
}

test.each<[NodeJS.Platform, string, string, string]>([
  ['linux', '/home/me', '/home/me/project', '/home/me/proxmox-mcp'],
  ['linux', '/root', '/', '/root/proxmox-mcp'],
  ['darwin', '/Users/me', '/Users/me/code', '/Users/me/proxmox-mcp'],
  ['win32', 'C:\\Users\\me', 'C:\\Users\\me\\code', 'C:\\Users\\me\\proxmox-mcp'],
])(
  'defaults to a separate directory, never the working directory: %s, home %s',
  (platform, home, cwd, dir) => {
    const here = at(platform, home, cwd);
    expect(transferDirsOf({ http: false }, here)).toEqual([dir]);
    expect(transferDirsOf({ http: true }, here)).toEqual([]);
  },
);

test('splits directories as in PATH, makes them absolute, and requires that they exist', () => {
  const here = at('linux', '/tmp', '/');
  const { transferDirs } = configSchema(here).shape;
  expect(transferDirs.parse('~:tmp: /usr :')).toEqual(['/tmp', '/usr']);
  expect(transferDirs.safeParse('/tmp:/not/here').success).toBe(false);
  expect(transferDirs.safeParse(':').success).toBe(false);
});
