import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(fileURLToPath(new URL(file, root)), 'utf8');

/** The rows of the table of incidents; the last column has a link to a test file, followed by titles of its tests. */
function incidents() {
  const rows =
    read('docs/dev/incidents.md')
      .match(/^\| .*\|$/gm)
      ?.slice(2) ?? [];
  return rows.map((row) => {
    const [, incident = '', , tests = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const named = tests.split(';').flatMap((part) => {
      const file = /\]\(\.\.\/\.\.\/([^)]+)\)/.exec(part)?.[1] ?? '';
      return [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title }));
    });
    return { incident, named };
  });
}

test('every known attack names a test', () => {
  expect(incidents().length).toBeGreaterThanOrEqual(12);
  for (const { incident, named } of incidents()) expect(named.length, incident).toBeGreaterThan(0);
});

test.each(incidents().flatMap(({ named }) => named))('$file has "$title"', ({ file, title }) => {
  const titles = [...read(file).matchAll(/(['"`])((?:(?!\1)[^\\\n])+)\1\s*,/g)].map(([, , text]) => text);
  expect(titles).toContain(title);
});
