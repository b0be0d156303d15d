import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const tests = fileURLToPath(new URL('../', import.meta.url));

test('tests name the containers of the rig by CT, because each rig has other VMIDs', () => {
  const folders = readdirSync(tests, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = folders
    .flatMap(({ name }) => readdirSync(tests + name).map((file) => `${name}/${file}`))
    .filter((file) => file.endsWith('.test.ts'));
  expect(files.length).toBeGreaterThan(100);
  const lines = files.flatMap((file) =>
    readFileSync(tests + file, 'utf8')
      .split('\n')
      .map((line, index) => `${file}:${index + 1}: ${line.trim()}`),
  );
  expect(lines.filter((line) => /\b910[1-5]\b/.test(line.replace(/^\S+ /, '')))).toEqual([]);
});
