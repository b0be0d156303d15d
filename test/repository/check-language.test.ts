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
])('finds: %s', (text) => {
  const { status, lines } = checkText(`First line.\n${text}\n`);
  expect(status).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/text\.md:2: ".+": write, for example, ".+"$/);
});

test('finds a phrase across a line break, also in a comment', () => {
  expect(checkText('/**\n * The call is put on\n * record.\n */\n').lines).toHaveLength(1);
});

test('allows other uses of the words', () => {
  const text = 'Yes or no. A record of the log. Look for it after the call. Notes on records. New files.\n';
  expect(checkText(text)).toEqual({ status: 0, lines: [] });
});
