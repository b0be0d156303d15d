import type { Tool as ToolDefinition } from '@modelcontextprotocol/server';
import type { Policy } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import { TOOLS } from '../tools/index.ts';
import { hintsOf, type Tool, type ToolSettings } from '../tools/tool.ts';
import { inputSchemaOf, outputSchemaOf } from '../tools/tool-schema.ts';
import { ceilingRefusal } from './ceilings.ts';

/** The tools of which some call may be allowed to this caller. */
export function allowedTools(settings: ToolSettings, policy: Policy, caller: Caller): Tool[] {
  return TOOLS.filter((tool) => ceilingRefusal(tool, settings, policy, caller) === undefined);
}

const definitions = new Map<Tool, ToolDefinition>();

/** What tools/list says of a tool; made once a process, as the conversion to JSON Schema takes its time. */
export function definitionOf(tool: Tool): ToolDefinition {
  const known = definitions.get(tool);
  if (known !== undefined) return known;
  const { name, title, description } = tool;
  const definition: ToolDefinition = {
    name,
    title,
    description,
    inputSchema: inputSchemaOf(tool),
    outputSchema: outputSchemaOf(tool),
    annotations: hintsOf(tool),
  };
  definitions.set(tool, definition);
  return definition;
}
