import type { Tool as ToolDefinition } from '@modelcontextprotocol/server';
import type { Policy, ToolTraits } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import type { Toolset } from '../lib/toolsets.ts';
import type { ToolSettings } from '../tools/tool.ts';
import { ceilingRefusal } from './ceilings.ts';

/** All that is needed to list a tool and to decide whether a caller may call it at all. It is plain JSON. */
export interface CatalogEntry {
  readonly toolset: Toolset;
  readonly traits: ToolTraits;
  /** The entry in tools/list. */
  readonly definition: ToolDefinition;
}

/** The catalog as JSON, defined by the build. */
declare const TOOL_CATALOG: string | undefined;

let catalog: Promise<readonly CatalogEntry[]> | undefined;

/**
 * The entries of all tools in the order of tools/list. The build generates them, because most starts only list the tools, and
 * creating all schemas would take a fifth of a start. From the sources, they are created on first use.
 */
export function toolCatalog(): Promise<readonly CatalogEntry[]> {
  catalog ??= readCatalog();
  return catalog;
}

async function readCatalog(): Promise<readonly CatalogEntry[]> {
  if (typeof TOOL_CATALOG === 'string') return JSON.parse(TOOL_CATALOG);
  const [{ TOOLS }, { entryOf }] = await Promise.all([
    import('../tools/index.ts'),
    import('./tool-entry.ts'),
  ]);
  return TOOLS.map(entryOf);
}

/** The entries of the tools that this caller may be allowed to call. */
export async function allowedTools(
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): Promise<CatalogEntry[]> {
  const entries = await toolCatalog();
  return entries.filter((entry) => ceilingRefusal(entry, settings, policy, caller) === undefined);
}
