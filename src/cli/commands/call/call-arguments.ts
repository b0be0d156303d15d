import { messageOf } from '../../../lib/errors.ts';
import { nearest } from '../../../lib/suggest.ts';
import { shortToolName } from '../../../lib/tool-name.ts';
import type { Tool } from '../../../tools/tool.ts';
import { inputSchemaOf } from '../../../tools/tool-schema.ts';
import { UsageError } from '../../usage-error.ts';

type Arguments = Readonly<Record<string, unknown>>;

/**
 * The tool of that name, with or without `proxmox_`.
 * @throws UsageError with the names that begin with `name`, otherwise the most similar one
 */
export function findTool(name: string, tools: readonly Tool[]): Tool {
  const wanted = name.replaceAll('-', '_');
  const tool = tools.find((each) => each.name === wanted || shortToolName(each.name) === wanted);
  if (tool !== undefined) return tool;
  const names = tools.map(({ name: each }) => shortToolName(each));
  const start = shortToolName(wanted).toLowerCase();
  const longer = start === '' ? [] : names.filter((each) => each.startsWith(start));
  const meant = longer.length > 0 ? longer.join(' or ') : nearest(start, names);
  const hint = meant === undefined ? '' : `\n(Did you mean ${meant}?)`;
  throw new UsageError(`there is no tool '${name.slice(0, 100)}'${hint}`);
}

/**
 * The arguments of a call: nothing, one JSON object, `-` for a JSON object on stdin, or `name=value` for each.
 * The call validates their values, as for every client. @throws UsageError
 */
export async function readArguments(
  tool: Tool,
  words: readonly string[],
  stdin: () => Promise<string>,
): Promise<Arguments> {
  const [first, surplus] = words;
  if (first === undefined) return {};
  if (first !== '-' && !/^\s*[{[]/.test(first)) {
    return Object.fromEntries(words.map((word) => pair(tool, word)));
  }
  if (surplus !== undefined) throw new UsageError(`unexpected argument: '${surplus}'`);
  return first === '-' ? parseObject(await stdin(), 'stdin') : parseObject(first, 'the argument');
}

function parseObject(text: string, where: string): Arguments {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) throw new UsageError(`${where} is not a JSON object, such as {"vmid": 101}`);
  return value;
}

/** Whether JSON or a result is an object with named fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses `name=value`. The value of a string parameter stays a string, even if it looks like a number. */
function pair(tool: Tool, word: string): readonly [string, unknown] {
  const equals = word.indexOf('=');
  if (equals < 1) {
    throw new UsageError(`'${word.slice(0, 100)}' is neither name=value nor a JSON object nor -`);
  }
  const name = word.slice(0, equals).replaceAll('-', '_');
  const text = word.slice(equals + 1);
  const property = inputSchemaOf(tool).properties[name];
  const takesText = !isObject(property) || property.type === 'string' || 'enum' in property;
  return [name, takesText ? text : jsonOr(text)];
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
