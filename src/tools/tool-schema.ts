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
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io });
  return { properties: portableEntries(properties), required };
}

/**
 * Removes keywords that clients do not need, because every conversation pays for the tokens of tools/list. Also removes lists
 * of types (`type: ["string", "null"]`): they are valid, but some clients reject the tool. Narrows the type by hand, because
 * a schema for JSON takes a tenth of the server's start.
 */
function portable(json: unknown): z.core.util.JSONType {
  if (Array.isArray(json)) return json.map(portable);
  if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json;
  if (typeof json !== 'object' || json === null) return null;
  const { type, additionalProperties: _, ...rest }: { type?: unknown; additionalProperties?: unknown } = json;
  const others = portableEntries(rest);
  if (type === undefined) return others;
  return Array.isArray(type)
    ? { anyOf: type.map((each) => ({ type: portable(each) })), ...others }
    : { type: portable(type), ...others };
}

function portableEntries(json: object): Properties {
  const given = Object.entries(json)
    // The limits of every integer in JavaScript say nothing about the parameter.
    .filter(([, value]) => value !== undefined && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(given.map(([key, value]) => [key, portable(value)]));
}
