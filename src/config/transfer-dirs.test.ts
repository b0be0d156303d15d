import { describe, expect, test } from 'vitest';
import type { HostEnvironment } from './host-environment.ts';
import { configSchema } from './settings-schema.ts';
import { defaultTransferDir } from './transfer-dirs.ts';

function at(platform: NodeJS.Platform, home: string, cwd: string): HostEnvironment {
  const env = platform === 'win32' ? { SystemRoot: 'D:\\Win', APPDATA: `${home}\\AppData\\Roaming` } : {};
  return { platform, env, home, cwd, username: 'me' };
}

describe('the default is the working directory where a person could have meant it', () => {
  test.each<[NodeJS.Platform, string, string]>([
    ['linux', '/home/me', '/home/me/project'],
    ['linux', '/home/me', '/srv/work'],
    ['linux', '/root', '/root/project'],
    ['linux', '/home/me', '/variety'],
    ['darwin', '/Users/me', '/Users/me/code'],
    ['darwin', '/Users/me', '/private/var/folders/xy/T/work'],
    ['win32', 'C:\\Users\\me', 'C:\\Users\\me\\code'],
    ['win32', 'C:\\Users\\me', 'D:\\work'],
    ['win32', 'C:\\Users\\me', 'C:\\WindowsWork'],
  ])('%s, home %s: %s', (platform, home, cwd) => {
    expect(defaultTransferDir(at(platform, home, cwd))).toBe(cwd);
  });

  test.each<[NodeJS.Platform, string, string]>([
    ['linux', '/home/me', '/'],
    ['linux', '/home/me', '/home/me'],
    ['linux', '/home/me', '/home'],
    ['linux', '/home/me', '/etc'],
    ['linux', '/home/me', '/usr/lib/app'],
    ['linux', '/home/me', '/var/lib/x'],
    ['darwin', '/Users/me', '/'],
    ['darwin', '/Users/me', '/Users'],
    ['darwin', '/Users/me', '/Applications/Claude.app/Contents'],
    ['darwin', '/Users/me', '/Users/me/Library/Caches'],
  ])('not %s, home %s: %s', (platform, home, cwd) => {
    expect(defaultTransferDir(at(platform, home, cwd))).toBe(`${home}/proxmox-mcp`);
  });

  test.each([
    'C:\\',
    'D:\\',
    'C:\\Users\\me',
    'c:\\users\\ME',
    'C:\\Users',
    'C:\\Windows\\System32',
    'c:\\windows\\system32',
    'C:\\Program Files\\Tool',
    'C:\\Program Files (x86)\\Tool',
    'D:\\Win\\System32',
    'C:\\Users\\me\\AppData\\Roaming\\npm',
  ])('not on Windows: %s', (cwd) => {
    expect(defaultTransferDir(at('win32', 'C:\\Users\\me', cwd))).toBe('C:\\Users\\me\\proxmox-mcp');
  });
});

test('directories are separated as in PATH, made absolute, and must exist', () => {
  const here = at('linux', '/tmp', '/');
  const { transferDirs } = configSchema(here).shape;
  expect(transferDirs.parse('~:tmp: /usr :')).toEqual(['/tmp', '/usr']);
  expect(transferDirs.safeParse('/tmp:/not/here').success).toBe(false);
  expect(transferDirs.safeParse(':').success).toBe(false);
});
