import { expect, test } from 'vitest';
import { ownCommand } from './own-command.ts';

test.each([
  ['an installed program', '/usr/local/bin/proxmox-mcp', '/home/me', 'linux', 'proxmox-mcp'],
  ['a clone', '/home/me/clone/dist/bin.js', '/home/me/clone', 'linux', 'node dist/bin.js'],
  ['a clone elsewhere', '/srv/my clone/dist/bin.js', '/home/me', 'linux', "node '/srv/my clone/dist/bin.js'"],
  ['Windows, where npm starts the script itself', '/x/dist/bin.js', '/x', 'win32', 'proxmox-mcp'],
] as const)('names the command of %s', (_name, script, cwd, platform, command) => {
  expect(ownCommand(script, cwd, platform)).toBe(command);
});
