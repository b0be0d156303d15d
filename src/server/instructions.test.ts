import { expect, test } from 'vitest';
import { ERROR_CODES } from '../lib/errors.ts';
import { TOOLSETS } from '../lib/toolsets.ts';
import { TOOLS } from '../tools/index.ts';
import { instructionsFor } from './instructions.ts';

const settings = {
  characterLimit: 25_000,
  maxFileSize: 10 * 1024 * 1024,
  jobOutputLimit: 65_536,
  enableHostExec: true,
  allowSelf: false,
  readOnly: false,
  toolsets: TOOLSETS,
};

test.each([
  ['no directory', []],
  ['one directory', ['/home/admin/proxmox-mcp']],
  ['the longest path that is shown', [`/${'x'.repeat(69)}`]],
  ['long paths', Array.from({ length: 40 }, (_, i) => `/srv/${'x'.repeat(100)}/${i}`)],
])('fit the 2,048 characters that clients keep: %s', (_, dirs) => {
  const largest = { ...settings, characterLimit: 1_000_000, maxFileSize: 1023.9 * 1024 ** 3 };
  expect(instructionsFor(largest, dirs).length).toBeLessThanOrEqual(2048);
});

test('state the limits in force', () => {
  const text = instructionsFor(settings, ['/home/admin/proxmox-mcp']);
  expect(text).toContain('25,000 characters');
  expect(text).toContain('at most 10.0 MB');
  expect(text).toContain('inside /home/admin/proxmox-mcp');
});

test('say that the server is read-only, within the same limit', () => {
  const text = instructionsFor({ ...settings, readOnly: true }, [`/${'x'.repeat(69)}`]);
  expect(text).toContain('read-only: commands, changes and transfers are refused');
  expect(text.length).toBeLessThanOrEqual(2048);
  expect(instructionsFor(settings, [])).not.toContain('read-only');
});

test('do not mention the tools of a toolset that is disabled', () => {
  const text = instructionsFor({ ...settings, toolsets: ['core'] }, []);
  const offered = TOOLS.filter(({ toolset }) => toolset === 'core').map(({ name }) => name);
  for (const [name] of text.matchAll(/\bproxmox_\w+/g)) expect(offered).toContain(name);
  expect(text).not.toContain('background');
});

test('name only existing tools and error codes', () => {
  const text = instructionsFor(settings, []);
  const tools = TOOLS.map((tool) => tool.name);
  const codes: readonly string[] = ERROR_CODES;
  for (const [name] of text.matchAll(/\bproxmox_\w+/g)) expect(tools).toContain(name);
  const named = [...text.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([code]) => code);
  expect(named).toContain('APPROVAL_PENDING');
  for (const code of named) expect(codes).toContain(code);
});
