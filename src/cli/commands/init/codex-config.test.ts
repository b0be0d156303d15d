import { expect, test } from 'vitest';
import { UnreadableConfig } from './client-config.ts';
import { mergeTomlConfig, readTomlEntry } from './codex-config.ts';

const ENTRY = { command: '/usr/bin/node', args: ['/x/bin.js', '--config', '/c.env'] };
const TABLE =
  '[mcp_servers.proxmox]\ncommand = "/usr/bin/node"\nargs = ["/x/bin.js", "--config", "/c.env"]\n';
const merge = (before: string | undefined, entry: object | undefined = ENTRY) =>
  mergeTomlConfig(before, 'mcp_servers', 'proxmox', entry);

test('creates a new file, and appends a table to an existing one', () => {
  expect(merge(undefined)).toBe(TABLE);
  const mine = 'model = "x" # mine\n\n[mcp_servers.other]\ncommand = "y"\n';
  expect(merge(mine)).toBe(`${mine}\n${TABLE}`);
  expect(readTomlEntry(merge(mine), 'mcp_servers', 'proxmox')).toEqual(ENTRY);
});

test('replaces an older entry and its subtables, wherever it is', () => {
  const old =
    '[mcp_servers."proxmox"]\ncommand = "old"\n\n[mcp_servers.proxmox.env]\nHOST = "h"\n\n[tui]\ntheme = "dark" # keep\n';
  expect(merge(old)).toBe(`[tui]\ntheme = "dark" # keep\n\n${TABLE}`);
});

test('restores the previous content when an entry is removed', () => {
  const mine = '# mine\n[tui]\ntheme = "dark"\n';
  expect(mergeTomlConfig(merge(mine), 'mcp_servers', 'proxmox', undefined)).toBe(mine);
  expect(mergeTomlConfig(TABLE, 'mcp_servers', 'proxmox', undefined)).toBe('');
});

test.each([
  ['invalid TOML', 'a = \n'],
  ['an inline table', 'mcp_servers = { proxmox = { command = "x" } }\n'],
  ['dotted keys', '[mcp_servers]\nproxmox.command = "x"\n'],
  ['a header within a string', 'text = """\n[mcp_servers.proxmox]\nnot a table\n"""\n'],
])('refuses %s', (_what, before) => {
  expect(() => merge(before)).toThrow(UnreadableConfig);
});
