import { expect, test } from 'vitest';
import { defaultStateDir } from './state-dir.ts';

const base = { cwd: '/', username: 'ann' };

test.each([
  ['linux', {}, '/home/ann', '/home/ann/.local/state/proxmox-mcp'],
  ['linux', { XDG_STATE_HOME: '/var/state' }, '/home/ann', '/var/state/proxmox-mcp'],
  ['linux', { XDG_STATE_HOME: '' }, '/home/ann', '/home/ann/.local/state/proxmox-mcp'],
  ['darwin', {}, '/Users/ann', '/Users/ann/Library/Application Support/proxmox-mcp'],
  ['win32', { LOCALAPPDATA: 'D:\\local' }, 'C:\\Users\\ann', 'D:\\local\\proxmox-mcp'],
  ['win32', {}, 'C:\\Users\\ann', 'C:\\Users\\ann\\AppData\\Local\\proxmox-mcp'],
] as const)('finds the state directory on %s with %j', (platform, env, home, dir) => {
  expect(defaultStateDir({ ...base, platform, env, home })).toBe(dir);
});
