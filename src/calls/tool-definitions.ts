import type { Tool as ToolDefinition } from '@modelcontextprotocol/server';
import type { Policy } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import { TOOLS } from '../tools/index.ts';
import { hintsOf, type Tool, type ToolSettings } from '../tools/tool.ts';
import { inputSchemaOf, outputSchemaOf } from '../tools/tool-schema.ts';
import { ceilingRefusal } from './ceilings.ts';

/** The tools that this caller may be allowed to call. */
export function allowedTools(settings: ToolSettings, policy: Policy, caller: Caller): Tool[] {
  return TOOLS.filter((tool) => ceilingRefusal(tool, settings, policy, caller) === undefined);
}

const definitions = new Map<Tool, ToolDefinition>();

/** The tools/list entry of a tool; cached, because the conversion to JSON Schema is slow. */
export function definitionOf(tool: Tool): ToolDefinition {
  const known = definitions.get(tool);
  if (known !== undefined) return known;
  const { name, title, description } = tool;
  const definition: ToolDefinition = {
    name,
    title,
    description,
    inputSchema: inputSchemaOf(tool),
    ...(tool.textOnly === true ? {} : { outputSchema: outputSchemaOf(tool) }),
    annotations: hintsOf(tool),
  };
  definitions.set(tool, definition);
  return definition;
}
