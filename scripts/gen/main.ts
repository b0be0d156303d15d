import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyJsonSchema } from '../../src/governance/policy/policy-schema.ts';
import { renderEnvExample, renderSettingsTable } from './config.ts';
import { listDocuments } from './documents.ts';
import { renderPackageJson } from './package-json.ts';
import { EXAMPLES, SNIPPETS } from './snippets.ts';
import { alignTable } from './table.ts';
import { renderToolParameters, renderToolsets } from './tools.ts';

/*
 * Writes the generated files: `.env.example`, the JSON Schema of policy files, the examples, the addresses in package.json, and the parts of README and docs
 * between markers such as `<!-- generated:toolsets -->` and `<!-- /generated:toolsets -->`. With --check, only checks that they are
 * up to date.
 */

const root = new URL('../../', import.meta.url);
const sections: Readonly<Record<string, () => string>> = {
  toolsets: () => alignTable(renderToolsets()),
  'tool-parameters': () => alignTable(renderToolParameters()),
  'settings-basic': () => alignTable(renderSettingsTable('basic')),
  'settings-common': () => alignTable(renderSettingsTable('common')),
  'settings-advanced': () => alignTable(renderSettingsTable(undefined)),
  ...SNIPPETS,
};

const wanted: Readonly<Record<string, string>> = {
  '.env.example': renderEnvExample(),
  ...Object.fromEntries(listDocuments().map((name) => [name, fillSections(name)])),
  'docs/policy.schema.json': `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
  ...EXAMPLES,
  'package.json': renderPackageJson(readFileSync(new URL('package.json', root), 'utf8')),
};

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(wanted)) {
  const file = new URL(name, root);
  if (read(file) === content) continue;
  if (check) {
    console.error(`${name} is not up to date: run npm run gen`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, content);
    console.log(`${fileURLToPath(file)} written`);
  }
}

function fillSections(name: string): string {
  return readFileSync(new URL(name, root), 'utf8').replaceAll(
    /(<!-- generated:([\w-]+) -->\n)[\s\S]*?(<!-- \/generated:\2 -->)/g,
    (_all, start: string, section: string, end: string) => {
      const render = sections[section];
      if (render === undefined) throw new Error(`${name}: there is no section generated:${section}`);
      return `${start}\n${render()}\n\n${end}`;
    },
  );
}

function read(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
