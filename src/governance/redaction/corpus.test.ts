import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

const CORPUS = new URL('../../../test/fixtures/redaction/', import.meta.url);
const redactor = createRedactor({ id: '0a1b2c' });

interface Sample {
  readonly name: string;
  /** Secrets are between ⟦ and ⟧. */
  readonly marked: string;
}

/** Files by name, without extension, and their samples. */
function corpusOf(kind: 'secrets' | 'ordinary'): ReadonlyMap<string, readonly Sample[]> {
  const dir = new URL(`${kind}/`, CORPUS);
  return new Map(
    readdirSync(dir)
      .sort()
      .map((file) => {
        const parts = readFileSync(new URL(file, dir), 'utf8').split(/^### /m).slice(1);
        const samples = parts.map((part) => {
          const end = part.indexOf('\n');
          return { name: part.slice(0, end), marked: part.slice(end + 1).replace(/\n$/, '') };
        });
        return [file.replace('.txt', ''), samples];
      }),
  );
}

const SECRETS = corpusOf('secrets');
const ORDINARY = corpusOf('ordinary');
const secretsIn = (samples: readonly Sample[]) =>
  samples.reduce((sum, { marked }) => sum + marked.split('⟦').length - 1, 0);
const linesIn = (samples: readonly Sample[]) =>
  samples.reduce((sum, { marked }) => sum + marked.split('\n').length, 0);
const comparable = (text: string) =>
  text.replace(/\[redacted: [a-z ]+ 0a1b2c\]/g, '⟦⟧').replace(/⟦[^⟧]*⟧/g, '⟦⟧');

describe.each([...SECRETS])('secrets: %s', (_, samples) => {
  test.each(samples)('$name', async ({ marked }) => {
    const { data } = await redactor.clean({ text: marked.replace(/[⟦⟧]/g, '') });
    expect(comparable(String(data.text))).toBe(comparable(marked));
    // Where the caller cannot wait for the vendors' rules, more may be redacted, but not less.
    const shown = redactor.show(marked.replace(/[⟦⟧]/g, ''));
    for (const [, secret = ''] of marked.matchAll(/⟦([^⟧]{4,})⟧/g)) expect(shown).not.toContain(secret);
    expect((await redactor.clean(data)).data).toEqual(data);
  });
});

describe.each([...ORDINARY])('ordinary text: %s', (_, samples) => {
  test.each(samples)('$name', async ({ marked }) => {
    expect((await redactor.clean({ text: marked })).data.text).toBe(marked);
  });
});

test('docs/dev/redaction.md states the counts of the corpus', () => {
  const docs = readFileSync(new URL('../../../docs/dev/redaction.md', import.meta.url), 'utf8');
  for (const [file, samples] of SECRETS) {
    const row = new RegExp(
      `^\\| secrets: ${file} +\\| ${samples.length} +\\| ${secretsIn(samples)} secrets +\\|`,
      'm',
    );
    expect(docs).toMatch(row);
  }
  for (const [file, samples] of ORDINARY) {
    const row = new RegExp(
      `^\\| ordinary: ${file} +\\| ${samples.length} +\\| ${linesIn(samples)} lines +\\|`,
      'm',
    );
    expect(docs).toMatch(row);
  }
});
