import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { listDocuments } from '../../scripts/gen/documents.ts';
import { renderPackageJson } from '../../scripts/gen/package-json.ts';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { listSettings } from '../../src/config/settings-schema.ts';
import { PACKAGE } from '../../src/lib/package-info.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = listDocuments();
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');

interface Block {
  readonly where: string;
  readonly language: string;
  readonly text: string;
}

const blocks = documents.flatMap((name) =>
  [...read(name).matchAll(/^ *```([\w]*)\n([\s\S]*?)^ *```$/gm)].map((match): Block => {
    const line = read(name).slice(0, match.index).split('\n').length;
    return { where: `${name}:${line}`, language: match[1] ?? '', text: match[2] ?? '' };
  }),
);
const of = (...languages: readonly string[]) =>
  blocks
    .filter(({ language }) => languages.includes(language))
    .map((block) => [block.where, block.text] as const);

/** The keys that a client's file may have for a server. */
const entry = z.strictObject({
  type: z.enum(['stdio']).optional(),
  command: z.string(),
  args: z.array(z.string()),
  env: z.strictObject({ WAIT_LIMIT: z.string() }).optional(),
});
const clientFile = z.union([
  z.strictObject({ mcpServers: z.record(z.string(), entry) }),
  z.strictObject({ servers: z.record(z.string(), entry) }),
  z.strictObject({ mcp_servers: z.record(z.string(), entry) }),
]);

const PROGRAM = `/usr/lib/node_modules/${PACKAGE.name}/dist/bin.js`;

/** Checks that paths are absolute and that the program accepts the options. */
function expectStartable({ command, args }: z.output<typeof entry>): void {
  if (command === 'docker') {
    expectDockerRun(args);
    return;
  }
  expect(path.isAbsolute(command)).toBe(true);
  expect(args[0]).toBe(PROGRAM);
  expect(parseCommandLine(args.slice(1)).kind).toBe('run');
}

const settings = listSettings();
const variables = new Set([
  'PROXMOX_MCP_CONFIG',
  ...settings.flatMap(({ name, secret }) => (secret === true ? [name, `${name}_FILE`] : [name])),
]);

/** Checks the options of `docker run`, and the server's arguments after the image. */
function expectDockerRun(args: readonly string[]): void {
  expect(args[0]).toBe('run');
  const image = args.indexOf(PACKAGE.name);
  expect(image).toBeGreaterThan(0);
  for (let index = 1; index < image; index += 1) {
    const word = args[index] ?? '';
    if (['-i', '--rm', '-d', '--no-healthcheck', '--read-only'].includes(word)) continue;
    expect([
      '-v',
      '-e',
      '-p',
      '--name',
      '--env-file',
      '--user',
      '--tmpfs',
      '--cap-drop',
      '--security-opt',
    ]).toContain(word);
    index += 1;
    const value = args[index] ?? '';
    if (word === '-e') expect(variables).toContain(value.split('=')[0]);
    if (word === '-v') expect(value).toMatch(/^(\/|~\/|\.\/|proxmox-mcp-)[\w./~-]*:\/[\w./-]+(:ro)?$/);
  }
  const own = args.slice(image + 1);
  if (own.length > 0) expect(parseCommandLine(own).kind).toBe('run');
}

test('the documents contain snippets of every language', () => {
  for (const language of ['sh', 'json', 'toml', 'yaml'])
    expect(of(language).length, language).toBeGreaterThan(0);
});

test.each(of('json'))('%s is JSON, and a client entry in it starts this program', (_where, text) => {
  const value: unknown = JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ''));
  if (!text.includes('mcpServers') && !text.includes('"servers"')) return;
  for (const server of Object.values(Object.values(clientFile.parse(value))[0] ?? {}))
    expectStartable(server);
});

test.each(of('toml'))('%s is TOML that starts this program', (_where, text) => {
  const { mcp_servers } = z.object({ mcp_servers: z.record(z.string(), entry) }).parse(parseToml(text));
  for (const server of Object.values(mcp_servers)) expectStartable(server);
});

test.each(['claude_desktop_config.json', 'vscode_mcp.json', 'codex_config.toml'])('examples/%s', (name) => {
  const text = read(`examples/${name}`);
  const value = clientFile.parse(name.endsWith('.toml') ? parseToml(text) : JSON.parse(text));
  for (const server of Object.values(Object.values(value)[0] ?? {})) expectStartable(server);
});

/** The commands of a shell block: continued lines joined, comments and assignments before a command dropped. */
function commandsOf(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The words of a simple command; undefined if a shell would do more than split and unquote. */
function wordsOf(command: string): readonly string[] | undefined {
  const found = [...command.matchAll(/(?:'([^']*)'|"([^"$`]*)"|([^\s'"|&;<>()$`]+))+/g)].map((match) =>
    match[0].replaceAll(/['"]/g, ''),
  );
  return command.replaceAll(/'[^']*'|"[^"$`]*"/g, '').match(/[|&;<>()$`]/) ? undefined : found;
}

describe.each(of('sh', 'bash', ''))('%s', (_where, text) => {
  const own = commandsOf(text)
    .map((command) => command.replace(/^(?:\w+=\S* |sudo |docker exec (?:-it )?\S+ |\S+ \| )+/, ''))
    .filter((command) => /^proxmox-mcp(\s|$)/.test(command))
    // An ellipsis or a bracket stands for text that the reader inserts.
    .filter((command) => !/…|\[/.test(command))
    .map((command) => command.replace(/\s*(?:>|<).*$/, '').replace(/ {3,}.*$/, ''));
  test('contains valid commands of this program', () => {
    for (const command of own) {
      const [, ...words] = wordsOf(command) ?? [];
      const invocation = parseCommandLine(words);
      expect(invocation, command).not.toMatchObject({ kind: 'refuse' });
    }
  });

  test('docker run names existing settings and mounts', () => {
    for (const command of commandsOf(text).filter(
      (each) => each.startsWith('docker run') && !each.includes('…'),
    )) {
      expectDockerRun(wordsOf(command)?.slice(1) ?? []);
    }
  });
});

describe('an unpublished package', () => {
  const texts = [...documents, ...readdirSync(path.join(root, 'examples')).map((name) => `examples/${name}`)];
  test.skipIf(PACKAGE.published).each(texts)('is not installed by name in %s', (name) => {
    expect(read(name)).not.toMatch(/npx (?:-\S+ )*proxmox-mcp|npm (?:i|install) (?:-\S+ )*proxmox-mcp/);
    expect(read(name)).not.toMatch(/"command": "npx"/);
  });

  test('has repository and bugs in package.json exactly if the repository is known', () => {
    const { repository, bugs } = JSON.parse(read('package.json'));
    expect([repository !== undefined, bugs !== undefined]).toEqual(
      Array.from({ length: 2 }, () => PACKAGE.repository !== undefined),
    );
    expect(JSON.parse(renderPackageJson(read('package.json'), 'https://git.example/me/it'))).toMatchObject({
      repository: { type: 'git', url: 'git+https://git.example/me/it.git' },
      bugs: { url: 'https://git.example/me/it/issues' },
    });
  });

  test('has the name in package.json', () => {
    expect(JSON.parse(read('package.json')).name).toBe(PACKAGE.name);
  });
});
