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
import { subjectOf } from './subject.ts';

/** More than a tool has arguments; an object with thousands of unknown keys is not worth a longer answer. */
const MAX_FAULTS = 20;

/**
 * Stage 1: fills in `input`, and a target for each container that the call works on.
 * @throws AppError INVALID_INPUT that names every fault; whatever the tool throws when it finds its containers
 */
export async function validate(record: CallRecord, deps: ServerDeps): Promise<ValidatedCall> {
  const { tool, args, caller, signal } = record.call;
  const input = validateArguments(tool, args);
  const subject = subjectOf(tool, input, caller, new Date());
  const vmids = await tool.containers?.(input, { cluster: await deps.cluster(), signal });
  const subjects = vmids?.map((vmid) => ({ ...subject, vmid })) ?? [subject];
  return { ...record, input, targets: subjects.map(openTarget) };
}

/**
 * The arguments as the tool takes them, defaults filled in.
 * @throws AppError INVALID_INPUT that names every fault, PLACEHOLDER_IN_INPUT
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
  const faults = [...new Set(parsed.error.issues.flatMap((issue) => describe(issue, args, names)))];
  const more = faults.length > MAX_FAULTS ? '; and more' : '';
  throw invalid(tool, `${faults.slice(0, MAX_FAULTS).join('; ')}${more}`, names);
}

function invalid({ name }: Pick<Tool, 'name'>, faults: string, names: readonly string[]): AppError {
  return new AppError(
    'INVALID_INPUT',
    `Invalid arguments for ${name}: ${faults}.`,
    `Correct them and call again. ${name} takes: ${names.join(', ')}.`,
  );
}

/** A placeholder in a command or a file would replace the secret that it stands for. */
function refusePlaceholders(input: Arguments): void {
  for (const [name, value] of Object.entries(input)) {
    const placeholder = findPlaceholder(value);
    if (placeholder !== undefined) throw placeholderInInput(`The argument "${name}"`, placeholder);
  }
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
