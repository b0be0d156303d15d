import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(path.join(root, 'docs/dev/architecture.md'), 'utf8');

/** The files of the numbered list, in order. */
const [, section = ''] = page.split('## From the tool to the channel');
const files = [...(section.split(/^## /m)[0] ?? '').matchAll(/^\d+\. `(src\/[^`]+)`/gm)].map(
  ([, file = '']) => file,
);

function importsOf(file: string): readonly string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/\bfrom '(\.[^']+)'/g)].map(([, specifier = '']) =>
    path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)),
  );
}

/** An object is passed on by a file that imports the next one, or through an interface that both import. */
function reaches(file: string, next: string): boolean {
  const imported = importsOf(file);
  if (imported.includes(next)) return true;
  const interfaces = imported.filter((each) => /-types\.ts$/.test(each));
  return importsOf(next).some((each) => interfaces.includes(each));
}

describe('the path of a command in docs/dev/architecture.md', () => {
  test('begins at a tool, ends at the SSH channel, and has at most ten files', () => {
    expect(files[0]).toBe('src/tools/container-exec-command.ts');
    expect(files.at(-1)).toMatch(/^src\/ssh\/(?:channel|connection)\.ts$/);
    expect(files.length).toBeLessThanOrEqual(10);
  });

  test.each(files)('%s exists', (file) => {
    expect(existsSync(path.join(root, file))).toBe(true);
  });

  test.each(files.slice(0, -1).map((file, index) => [file, files[index + 1] ?? '']))(
    '%s leads to %s',
    (file, next) => {
      expect(reaches(file, next)).toBe(true);
    },
  );

  test('the stages of a call are the files that the pipeline imports', () => {
    const stages = [
      ...page.matchAll(/^\| \(?\w+\)? +\| \[[\w-]+\.ts\]\(\.\.\/\.\.\/(src\/calls\/[^)]+)\)/gm),
    ].map(([, file = '']) => file);
    expect(stages).toHaveLength(7);
    expect(importsOf('src/calls/pipeline.ts')).toEqual(expect.arrayContaining(stages));
  });
});

test.each(['decide', 'record', 'host-keys', 'rights', 'plan', 'types', 'schema'])(
  'at most one file in src is named %s.ts',
  (name) => {
    const all = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
    expect(all.filter((file) => path.basename(file) === `${name}.ts`).length).toBeLessThanOrEqual(1);
  },
);
