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

test('name only existing tools and error codes', () => {
  const text = instructionsFor(settings, []);
  const tools = TOOLS.map((tool) => tool.name);
  const codes: readonly string[] = ERROR_CODES;
  for (const [name] of text.matchAll(/\bproxmox_\w+/g)) expect(tools).toContain(name);
  const named = [...text.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([code]) => code);
  expect(named).toContain('APPROVAL_PENDING');
  for (const code of named) expect(codes).toContain(code);
});
