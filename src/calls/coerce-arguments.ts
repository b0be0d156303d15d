import type * as z from 'zod';
import type { Tool } from '../tools/tool.ts';
import { inputSchemaOf, type ObjectSchema } from '../tools/tool-schema.ts';

type Arguments = Readonly<Record<string, unknown>>;
type Property = ObjectSchema['properties'][string];

/**
 * Arguments that must not be omitted by an empty value: an unset variable in a script must not disable a check, nor select more
 * containers.
 */
const NEVER_OMITTED_BY_EMPTY = ['expect_name', 'vmids', 'tags', 'name', 'node', 'except'];

/**
 * Converts variants that clients send and that have only one meaning: an optional argument that is null or an empty string
 * counts as omitted, numbers and booleans may be strings, and a list may be a string or one number. The schema checks
 * everything else.
 */
export function coerceArguments(tool: Pick<Tool, 'input'>, args: Arguments): Arguments {
  const { properties, required = [] } = schemaOf(tool);
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]): [string, unknown][] => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property === undefined) return [[name, value]];
      if (!required.includes(name) && isOmitted(name, value, property)) return [];
      return [[name, coerce(value, property)]];
    }),
  );
}

function isOmitted(name: string, value: unknown, property: Property): boolean {
  if (value === null) return true;
  if (typeof value !== 'string' || NEVER_OMITTED_BY_EMPTY.includes(name)) return false;
  if (value === '') return true;
  // In a text argument these words are ordinary text.
  return !takesText(property) && /^(?:null|none|undefined)$/i.test(value);
}

/** Digits only, as for a vmid: `0x1e`, `3e1`, ` 30` and `030` are more likely mistakes than numbers. */
function coerce(value: unknown, property: Property): unknown {
  const type = typeOf(property);
  if (typeof value === 'number' && type === 'array') return [value];
  if (typeof value !== 'string') return value;
  if ((type === 'integer' || type === 'number') && /^-?(?:0|[1-9]\d{0,14})$/.test(value))
    return Number(value);
  if (type === 'boolean' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  if (type === 'array') return listFrom(value);
  return value;
}

/** `101,102` and `["101", "102"]` as a list, and an object in JSON; anything else is left to the schema. */
function listFrom(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value.split(',').map((each) => each.trim());
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function typeOf(property: Property): unknown {
  return typeof property === 'object' && property !== null && 'type' in property ? property.type : undefined;
}

function takesText(property: Property): boolean {
  if (typeof property === 'object' && property !== null && 'enum' in property) return false;
  const type = typeOf(property);
  return type === undefined || type === 'string';
}

const schemas = new WeakMap<z.ZodObject, ObjectSchema>();

/** Cached per tool, because the conversion takes longer than the validation of the arguments. */
function schemaOf(tool: Pick<Tool, 'input'>): ObjectSchema {
  const known = schemas.get(tool.input);
  if (known !== undefined) return known;
  const schema = inputSchemaOf(tool);
  schemas.set(tool.input, schema);
  return schema;
}
