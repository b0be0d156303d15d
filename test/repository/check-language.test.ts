import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/check-language.mjs', import.meta.url));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'language-'));
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

function check(...files: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' });
  return { status, lines: stderr.split('\n').filter((line) => line !== '') };
}

function checkText(text: string) {
  const file = path.join(dir, 'text.md');
  fs.writeFileSync(file, text);
  return check(file);
}

test('finds nothing in src', () => {
  expect(check('src')).toEqual({ status: 0, lines: [] });
});

test.each([
  'The server can not start.',
  'It was asked in vain.',
  'A file of host keys; takes new ones.',
  'Whoever calls it is logged.',
  'It waits for the yes of a person.',
  'Every call is put on record.',
  'Virtual machines are not looked after.',
  'A key is made anew.',
  'Somebody has to open the link.',
  'The file is checked over there.',
  'The peer hung up.',
  'What is no regular file is refused.',
])('finds: %s', (text) => {
  const { status, lines } = checkText(`First line.\n${text}\n`);
  expect(status).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/text\.md:2: ".+": write, for example, ".+"$/);
});

test('checks the names and comments of tests, and no other strings', () => {
  const file = path.join(dir, 'names.test.ts');
  const text = [
    "TEST('whoever calls is logged', () => {",
    '  // It is asked in vain.',
    "  expect(run('made anew')).toBe(1);",
    '});',
    "describe('a call', () => {",
    "  TEST('and it is refused', () => {});",
    "  TEST('refuses an unknown caller', () => {});",
    '});',
  ];
  fs.writeFileSync(file, text.join('\n').replaceAll('TEST', 'test'));
  expect(check(file).lines.map((line) => line.slice(line.indexOf('.ts:')))).toEqual([
    expect.stringContaining('.ts:1: "whoever"'),
    expect.stringContaining('.ts:1: "whoever calls is logged": write, for example, "reports…'),
    expect.stringContaining('.ts:2: "in vain"'),
    expect.stringContaining('.ts:6: "and it is refused"'),
  ]);
});

test('finds a phrase across a line break, also in a comment', () => {
  expect(checkText('/**\n * The call is put on\n * record.\n */\n').lines).toHaveLength(1);
});

test('allows other uses of the words', () => {
  const text = 'Yes or no. A record of the log. Look for it after the call. Notes on records. New files.\n';
  expect(checkText(text)).toEqual({ status: 0, lines: [] });
});
