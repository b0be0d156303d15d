import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { entryOf } from '../../src/calls/tool-entry.ts';
import { TOOLSETS } from '../../src/lib/toolsets.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { inputSchemaOf, type ObjectSchema } from '../../src/tools/tool-schema.ts';

/**
 * The snapshot of the tools as clients see them. It is committed, so that changes of the interface are visible in review, and
 * compared by a test. Write it with `node --import tsx scripts/gen/tools.ts --write`.
 */
export const TOOL_SNAPSHOT = fileURLToPath(new URL('../../test/mcp/tools.snapshot.json', import.meta.url));

const BIOME = fileURLToPath(new URL('../../node_modules/@biomejs/biome/bin/biome', import.meta.url));

export function renderToolSnapshot(): string {
  return `${JSON.stringify(
    TOOLS.map((tool) => entryOf(tool).definition),
    null,
    2,
  )}\n`;
}

/** The tools of each group in words, for the README and docs/tools.md. */
export function renderToolsets(): string {
  const rows = TOOLSETS.map((toolset) => {
    const titles = TOOLS.filter((tool) => tool.toolset === toolset).map(({ title }) => title);
    return `| \`${toolset}\` | ${titles.join(' · ')} |`;
  });
  return ['| group | tools |', '|---|---|', ...rows].join('\n');
}

/** The table of all parameters in docs/tools.md. Required ones are bold; defaults are in parentheses. */
export function renderToolParameters(): string {
  const rows = TOOLS.map(
    (tool) =>
      `| \`${tool.name}\` | ${tool.effect} | ${parametersOf(inputSchemaOf(tool)).join(', ') || '–'} |`,
  );
  return ['| tool | effect | parameters |', '|---|---|---|', ...rows].join('\n');
}

function parametersOf(schema: ObjectSchema): string[] {
  return Object.entries(schema.properties).map(([name, property]) => {
    if (schema.required?.includes(name)) return `**${name}**`;
    const fallback = isObject(property) ? property.default : undefined;
    return fallback === undefined ? name : `${name} (${String(fallback)})`;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the committed snapshot has the same content, regardless of its formatting. */
export async function isToolSnapshotCurrent(): Promise<boolean> {
  const committed: unknown = JSON.parse(await readFile(TOOL_SNAPSHOT, 'utf8').catch(() => 'null'));
  return JSON.stringify(committed) === JSON.stringify(JSON.parse(renderToolSnapshot()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) {
    await writeFile(TOOL_SNAPSHOT, renderToolSnapshot());
    execFileSync(process.execPath, [BIOME, 'format', '--write', TOOL_SNAPSHOT], { stdio: 'inherit' });
  } else if (!(await isToolSnapshotCurrent())) {
    console.error(
      'test/mcp/tools.snapshot.json is not up to date; if the change is intended, run again with --write',
    );
    process.exitCode = 1;
  }
}
