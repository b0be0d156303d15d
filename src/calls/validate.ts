import type * as z from 'zod';
import { AppError } from '../lib/errors.ts';
import { findPlaceholder, placeholderInInput } from '../lib/placeholder.ts';
import { nearest } from '../lib/suggest.ts';
import type { Tool } from '../tools/tool.ts';
import { isTooDeep, MAX_DEPTH } from './argument-depth.ts';
import type { ServerDeps } from './call-deps.ts';
import { type Arguments, type CallRecord, openTarget, type ValidatedCall } from './call-record.ts';
import { coerceArguments } from './coerce-arguments.ts';
import { withoutClientFields } from './known-client-fields.ts';
import { subjectIn, subjectsOf } from './subject.ts';

/** Limit of reported errors. More than any tool has arguments; there may be thousands of unknown keys. */
const MAX_ERRORS = 20;

/**
 * Stage 1: fills in `input`, and a target for each container of the call.
 * @throws AppError INVALID_INPUT with all errors; what the tool throws while it finds its containers
 */
export async function validate(record: CallRecord, deps: ServerDeps): Promise<ValidatedCall> {
  const { tool, args, caller, signal } = record.call;
  const input = validateArguments(tool, args);
  const parts = subjectsOf(tool, input, caller, new Date());
  const selected = await tool.containers?.(input, { cluster: await deps.cluster(), signal });
  const targets = selected?.flatMap((each) =>
    parts.map((part) => openTarget(subjectIn(part, tool, input, each.vmid), each)),
  );
  return { ...record, input, targets: targets ?? parts.map((part) => openTarget(part)) };
}

/**
 * Validates the arguments and fills in defaults.
 * @throws AppError INVALID_INPUT with all errors, PLACEHOLDER_IN_INPUT
 */
export function validateArguments(
  tool: Pick<Tool, 'name' | 'input'>,
  args: Arguments,
): Record<string, unknown> {
  const names = Object.keys(tool.input.shape);
  if (isTooDeep(args)) throw invalid(tool, `they are nested deeper than ${MAX_DEPTH} levels`, names);
  const parsed = tool.input.safeParse(coerceArguments(tool, withoutClientFields(tool, args)));
  if (parsed.success) {
    refusePlaceholders(parsed.data);
    return parsed.data;
  }
  const errors = [...new Set(parsed.error.issues.flatMap((issue) => describe(issue, args, names)))];
  const more = errors.length > MAX_ERRORS ? '; and more' : '';
  const remedies = [...new Set(parsed.error.issues.flatMap(remedyOf))];
  throw invalid(tool, `${errors.slice(0, MAX_ERRORS).join('; ')}${more}`, names, remedies);
}

/** @param remedies what to do instead, for arguments that have a better suggestion than to correct them */
function invalid(
  { name }: Pick<Tool, 'name'>,
  errors: string,
  names: readonly string[],
  remedies: readonly string[] = [],
): AppError {
  const general = (tool: string, repeat: string) =>
    `Correct the arguments and ${repeat} again. ${tool} has these arguments: ${names.join(', ')}.`;
  // For a person the name would become a command, which has other arguments.
  const hint = { model: general(name, 'call'), person: general('The tool', 'try') };
  return new AppError(
    'INVALID_INPUT',
    `Invalid arguments for ${name}: ${errors}.`,
    remedies.length === 0 ? hint : remedies.join(' '),
  );
}

/** The remedy that a parameter states for an invalid value, see params.ts. */
function remedyOf(issue: z.core.$ZodIssue): string[] {
  const remedy: unknown = issue.code === 'custom' ? issue.params?.remedy : undefined;
  return typeof remedy === 'string' ? [remedy] : [];
}

/** A placeholder in a command or file name would be used in place of the secret. */
function refusePlaceholders(input: Arguments): void {
  for (const [name, value] of Object.entries(input)) {
    const placeholder = findPlaceholder(value);
    if (placeholder !== undefined) throw placeholderInInput(`The argument "${name}"`, placeholder);
  }
}

function describe(issue: z.core.$ZodIssue, args: Arguments, names: readonly string[]): string[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length > 0)
    return issue.keys
      .slice(0, MAX_ERRORS + 1)
      .map((key) => `\`${String(issue.path[0])}\` has no field \`${shortened(key)}\``);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MAX_ERRORS + 1).map((key) => unknownArgument(key, names));
  const name = String(issue.path[0] ?? '');
  const value = Object.hasOwn(args, name) ? args[name] : undefined;
  if (value === undefined) return [`\`${name}\` is required`];
  return [`\`${name}\` ${issue.message}${shown(value)}`];
}

function unknownArgument(key: string, names: readonly string[]): string {
  const meant = nearest(key, names);
  const hint = meant === undefined ? '' : ` (did you mean \`${meant}\`?)`;
  return `\`${shortened(key)}\` is not an argument${hint}`;
}

/** The value, if it is short. A long one may be a command or contain a secret. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  return json.length > 40 ? '' : `, got ${json}`;
}

function shortened(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key;
}
