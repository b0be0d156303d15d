import { parse } from 'smol-toml';
import { UnreadableConfig } from './client-config.ts';
import { tomlTable } from './snippet.ts';

/**
 * Replaces, appends or (`entry` undefined) removes the table of a server in a TOML configuration. The rest stays byte for byte
 * the same. Pure.
 * @throws UnreadableConfig if the file is not TOML, or if the server is not a table of its own
 */
export function mergeTomlConfig(
  before: string | undefined,
  section: string,
  name: string,
  entry: object | undefined,
): string {
  const text = before ?? '';
  const others = without(read(text), section, name);
  const kept = withoutTable(text, `${section}.${name}`).trimEnd();
  const table = entry === undefined ? '' : tomlTable(section, name, entry);
  const after = kept === '' ? table : table === '' ? `${kept}\n` : `${kept}\n\n${table}`;
  if (JSON.stringify(without(read(after), section, name)) !== JSON.stringify(others)) {
    throw new UnreadableConfig(`its ${section}.${name} is not a separate table`);
  }
  return after;
}

/** The current entry of a server; undefined if there is none. @throws UnreadableConfig */
export function readTomlEntry(text: string, section: string, name: string): unknown {
  const { [section]: servers } = read(text);
  if (typeof servers !== 'object' || servers === null) return undefined;
  return Object.entries(servers).find(([key]) => key === name)?.[1];
}

function read(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const line = error instanceof Error && 'line' in error ? `line ${String(error.line)} ` : 'it ';
    throw new UnreadableConfig(`${line}is not TOML`);
  }
}

/** The document without one server. A section without servers is removed too. */
function without(document: Record<string, unknown>, section: string, name: string): Record<string, unknown> {
  const { [section]: servers, ...rest } = document;
  if (typeof servers !== 'object' || servers === null) return document;
  const others = Object.entries(servers).filter(([key]) => key !== name);
  return others.length === 0 ? rest : { ...rest, [section]: Object.fromEntries(others) };
}

/** Removes the lines of a table and its subtables. A table ends before the next header. */
function withoutTable(text: string, table: string): string {
  let ours = false;
  return text
    .split('\n')
    .filter((line) => {
      const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1]?.replaceAll(/["'\s]/g, '');
      if (header !== undefined) ours = header === table || header.startsWith(`${table}.`);
      return !ours;
    })
    .join('\n');
}
