import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { mergeClientConfig, UnreadableConfig } from './client-config.ts';

const ENTRY = { command: 'node', args: ['bin.js', '--env-file', '/x/.env'] };
const merge = (before: string | undefined) => mergeClientConfig(before, 'mcpServers', 'proxmox', ENTRY);

test.each([undefined, '', ' \n'])('creates a new file from %j', (before) => {
  expect(JSON.parse(merge(before))).toEqual({ mcpServers: { proxmox: ENTRY } });
});

describe('an existing file', () => {
  const before = `// mine
{
\t"theme": "dark", // not yours
\t"mcpServers": {
\t\t/* one */
\t\t"other": { "command": "x",   "env": {"A": "b"} },
\t},
}
`;
  test('keeps every byte and gains one entry', () => {
    const after = merge(before);
    expect(parse(after)).toEqual({
      theme: 'dark',
      mcpServers: { other: { command: 'x', env: { A: 'b' } }, proxmox: ENTRY },
    });
    const added = `,\n\t\t"proxmox": ${JSON.stringify(ENTRY, null, '\t').replaceAll('\n', '\n\t\t')}`;
    expect(after.replace(added, '')).toBe(before);
  });

  test('gets its own entry replaced, idempotently', () => {
    const once = merge(before.replace('"other"', '"proxmox"'));
    expect(parse(once)).toEqual({ theme: 'dark', mcpServers: { proxmox: ENTRY } });
    expect(once).toContain('/* one */');
    expect(merge(once)).toBe(once);
  });

  test('without the section gains it', () => {
    const after = merge('{\n  "theme": "dark"\n}\n');
    expect(JSON.parse(after)).toEqual({ theme: 'dark', mcpServers: { proxmox: ENTRY } });
    expect(after).toMatch(/^\{\n {2}"theme": "dark",\n {2}"mcpServers": \{\n {4}"proxmox": \{\n/);
  });

  test.each(['{}', '{"mcpServers":{}}', '{\n    "mcpServers": {}\n}', '{"a":1,"mcpServers":{"b":{}}}'])(
    '%j gains an entry and keeps its content',
    (text) => {
      expect(JSON.parse(merge(text)).mcpServers.proxmox).toEqual(ENTRY);
      expect(JSON.parse(merge(text))).toMatchObject(JSON.parse(text));
    },
  );

  test('keeps CRLF and a byte order mark', () => {
    const after = merge('\uFEFF{\r\n  "a": 1\r\n}\r\n');
    expect(after.startsWith('\uFEFF{\r\n  "a": 1,\r\n  "mcpServers": {\r\n')).toBe(true);
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
  });
});

test.each([
  ['{\n"a": }', 'line 2 is not JSON'],
  ['[]', 'not a JSON object'],
  ['{"mcpServers": []}', '"mcpServers" is not an object'],
  ['theme: dark', 'is not JSON'],
])('refuses %j: %s', (text, message) => {
  expect(() => merge(text)).toThrow(UnreadableConfig);
  expect(() => merge(text)).toThrow(message);
});
