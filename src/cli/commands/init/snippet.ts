import { shellWord } from '../../../lib/quote.ts';
import { type ClientApp, entryFor, SERVER_NAME } from './clients.ts';
import type { Launch } from './launch.ts';

/** A client's configuration to copy. */
export interface Snippet {
  readonly language: 'json' | 'toml';
  readonly text: string;
}

/** The snippet of a client, as a complete file. */
export function snippetFor(app: ClientApp, launch: Launch, configFile: string): Snippet {
  const entry = entryFor(app, launch, configFile);
  if (app.format === 'toml') return { language: 'toml', text: tomlTable(app.section, SERVER_NAME, entry) };
  return {
    language: 'json',
    text: `${JSON.stringify({ [app.section]: { [SERVER_NAME]: entry } }, null, 2)}\n`,
  };
}

/** The command that adds the server to Claude Code for this user. */
export function claudeCodeCommand(launch: Launch, configFile: string): string {
  const { command, args } = entryFor({ typed: true, cutsCalls: false }, launch, configFile);
  return `claude mcp add --scope user ${SERVER_NAME} -- ${[command, ...args].map(shellWord).join(' ')}`;
}

/** A TOML table of strings, lists of strings and tables of strings: JSON strings are TOML strings. */
export function tomlTable(
  section: string,
  name: string,
  entry: Readonly<Record<string, unknown>> | object,
): string {
  const lines = Object.entries(entry).map(([key, value]) => `${key} = ${tomlValue(value)}`);
  return `[${section}.${name}]\n${lines.join('\n')}\n`;
}

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => JSON.stringify(each)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key} = ${JSON.stringify(each)}`)
    .join(', ')} }`;
}
