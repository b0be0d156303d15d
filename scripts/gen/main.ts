import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyJsonSchema } from '../../src/governance/policy/policy-schema.ts';
import { renderConfigTable, renderEnvExample } from './config.ts';
import { alignTable } from './table.ts';
import { renderToolsTable } from './tools.ts';

/*
 * Writes what is said twice: `.env.example`, the JSON Schema of policy files, and the tables of the README, between markers such as
 * `<!-- generated:config -->` and `<!-- /generated:config -->`. With --check it only tells whether they are up to date.
 */

const root = new URL('../../', import.meta.url);
const sections: Readonly<Record<string, () => string>> = {
  config: renderConfigTable,
  tools: renderToolsTable,
};

const readme = readFileSync(new URL('README.md', root), 'utf8');
const wanted: Readonly<Record<string, string>> = {
  '.env.example': renderEnvExample(),
  'README.md': fillSections(readme),
  'docs/policy.schema.json': `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
};

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(wanted)) {
  const file = new URL(name, root);
  if (read(file) === content) continue;
  if (check) {
    console.error(`${name} is not up to date: npm run gen`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, content);
    console.log(`${fileURLToPath(file)} written`);
  }
}

function fillSections(text: string): string {
  return Object.entries(sections).reduce((filled, [name, render]) => {
    const section = new RegExp(`(<!-- generated:${name} -->\n)[^]*?(<!-- /generated:${name} -->)`);
    if (!section.test(filled)) throw new Error(`README.md has no section generated:${name}`);
    return filled.replace(
      section,
      (_all, start: string, end: string) => `${start}\n${alignTable(render())}\n\n${end}`,
    );
  }, text);
}

function read(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
