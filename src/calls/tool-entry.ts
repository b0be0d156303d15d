import { hintsOf, type Tool } from '../tools/tool.ts';
import { inputSchemaOf, outputSchemaOf } from '../tools/tool-schema.ts';
import { traitsOf } from './subject.ts';
import type { CatalogEntry } from './tool-catalog.ts';

/** The catalog entry of a tool. Converts its schemas to JSON Schema, which is slow. */
export function entryOf(tool: Tool): CatalogEntry {
  const { name, title, description, toolset, textOnly } = tool;
  return {
    toolset,
    traits: traitsOf(tool),
    definition: {
      name,
      title,
      description,
      inputSchema: inputSchemaOf(tool),
      ...(textOnly === true ? {} : { outputSchema: outputSchemaOf(tool) }),
      annotations: hintsOf(tool),
    },
  };
}
