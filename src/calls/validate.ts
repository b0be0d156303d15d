import type * as z from 'zod';
import { AppError } from '../lib/errors.ts';
import { nearest } from '../lib/suggest.ts';
import type { Tool } from '../tools/tool.ts';
import { coerceArguments } from './coerce-arguments.ts';
import { withoutClientFields } from './known-client-fields.ts';

/** More than a tool has arguments; an object with thousands of unknown keys is not worth a longer answer. */
const MAX_FAULTS = 20;

type Arguments = Readonly<Record<string, unknown>>;

/** The arguments as the tool takes them, defaults filled in. Throws INVALID_INPUT that names every fault. */
export function validateArguments(
  tool: Pick<Tool, 'name' | 'input'>,
  args: Arguments,
): Record<string, unknown> {
  const parsed = tool.input.safeParse(coerceArguments(tool, withoutClientFields(tool, args)));
  if (parsed.success) return parsed.data;
  const names = Object.keys(tool.input.shape);
  const faults = [...new Set(parsed.error.issues.flatMap((issue) => describe(issue, args, names)))];
  const told = faults.slice(0, MAX_FAULTS).join('; ');
  const untold = faults.length > MAX_FAULTS ? '; and more' : '';
  throw new AppError(
    'INVALID_INPUT',
    `Invalid arguments for ${tool.name}: ${told}${untold}.`,
    `Correct them and call again. ${tool.name} takes: ${names.join(', ')}.`,
  );
}

function describe(issue: z.core.$ZodIssue, args: Arguments, names: readonly string[]): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MAX_FAULTS + 1).map((key) => unknownArgument(key, names));
  const name = String(issue.path[0] ?? '');
  const value = Object.hasOwn(args, name) ? args[name] : undefined;
  if (value === undefined) return [`\`${name}\` is missing`];
  return [`\`${name}\` ${issue.message}${shown(value)}`];
}

function unknownArgument(key: string, names: readonly string[]): string {
  const meant = nearest(key, names);
  const hint = meant === undefined ? '' : ` (did you mean \`${meant}\`?)`;
  return `\`${shortened(key)}\` is not an argument${hint}`;
}

/** Short values help to see the fault. Long ones may be a command or hold a secret, and stay out. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  return json.length > 40 ? '' : `, got ${json}`;
}

function shortened(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key;
}
