import * as z from 'zod';
import type { Tool } from './tool.ts';

type Properties = Record<string, z.core.util.JSONType>;

/** A JSON Schema with an object at its root, as MCP requires for tools. */
export type ObjectSchema = {
  type: 'object';
  properties: Properties;
  required?: string[];
  additionalProperties?: boolean;
};

const propertiesOf = z.record(z.string(), z.json());

/** The fields of every error. They are part of every advertised output, see `outputSchemaOf`. */
const FAILURE: Properties = {
  success: { type: 'boolean' },
  error: { type: 'string' },
  code: { type: 'string' },
  suggestion: { type: 'string' },
  stderr: { type: 'string' },
};

/** The advertised JSON Schema of a tool's arguments. */
export function inputSchemaOf(tool: Pick<Tool, 'input'>): ObjectSchema {
  const { properties, required } = convert(tool.input, 'input');
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/**
 * The advertised JSON Schema of a tool's structuredContent. Nothing is required and nothing excluded, because clients of the
 * 1.x SDK validate errors against it too and throw if one does not match.
 */
export function outputSchemaOf(tool: Tool): ObjectSchema {
  return { type: 'object', properties: { ...convert(tool.output, 'output').properties, ...FAILURE } };
}

function convert(schema: z.ZodObject, io: 'input' | 'output') {
  const json = z.toJSONSchema(schema, { io });
  const properties = propertiesOf.parse(json.properties ?? {});
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, portable(each)])),
    required: json.required ?? [],
  };
}

/**
 * Removes keywords that clients do not need, because every conversation pays for the tokens of tools/list. Also removes lists
 * of types (`type: ["string", "null"]`): they are valid, but some clients reject the tool.
 */
function portable(json: z.core.util.JSONType): z.core.util.JSONType {
  if (Array.isArray(json)) return json.map(portable);
  if (typeof json !== 'object' || json === null) return json;
  const { type, additionalProperties: _, ...rest } = json;
  const others = Object.fromEntries(
    Object.entries(rest)
      // The limits of every integer in JavaScript say nothing about the parameter.
      .filter(([, value]) => Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER)
      .map(([key, value]) => [key, portable(value)]),
  );
  if (type === undefined) return others;
  return Array.isArray(type)
    ? { anyOf: type.map((each) => ({ type: each })), ...others }
    : { type: portable(type), ...others };
}
