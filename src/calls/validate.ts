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
 * @throws AppError INVALID_INPUT with all errors; TOOL_DISABLED for a job that no tool could read; what the tool throws while
 *   it finds its containers
 */
export async function validate(record: CallRecord, deps: ServerDeps): Promise<ValidatedCall> {
  const { tool, args, caller, signal } = record.call;
  const input = validateArguments(tool, args);
  if (input.background === true && !deps.settings.toolsets.includes('jobs')) throw noJobs();
  const parts = subjectsOf(tool, input, caller, new Date());
  const selected = await tool.containers?.(input, { cluster: await deps.cluster(), signal });
  const targets = selected?.flatMap((each) =>
    parts.map((part) => openTarget(subjectIn(part, tool, input, each.vmid), each)),
  );
  return { ...record, input, targets: targets ?? parts.map((part) => openTarget(part)) };
}

function noJobs(): AppError {
  return new AppError(
    'TOOL_DISABLED',
    'background is refused: the toolset `jobs` is disabled on this server (TOOLSETS), so no tool could read the job. The command was not executed.',
    {
      model: 'Call again without background, with a timeout of up to 300 seconds.',
      person: 'To enable jobs, add jobs to TOOLSETS.',
    },
  );
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
  if (isTooDeep(args)) throw invalid(tool, `they are nested deeper than ${MAX_DEPTH} levels`, { names });
  const coerced = coerceArguments(tool, withoutClientFields(tool, args));
  const parsed = tool.input.safeParse(coerced);
  if (parsed.success) {
    refusePlaceholders(parsed.data);
    return parsed.data;
  }
  const errors = [...new Set(parsed.error.issues.flatMap((issue) => describe(issue, args, coerced, names)))];
  const more = errors.length > MAX_ERRORS ? '; and more' : '';
  const remedies = [...new Set(parsed.error.issues.flatMap(remedyOf))];
  const withoutVmid = parsed.error.issues.some(({ path }) => path.at(-1) === 'vmid' || path[0] === 'vmids');
  throw invalid(tool, `${errors.slice(0, MAX_ERRORS).join('; ')}${more}`, { names, remedies, withoutVmid });
}

interface Advice {
  /** The arguments of the tool. */
  readonly names: readonly string[];
  /** What to do instead, for arguments that have a better suggestion than to correct them. */
  readonly remedies?: readonly string[];
  /** The VMID is missing or invalid: often the caller knows only a name. */
  readonly withoutVmid?: boolean;
}

function invalid({ name }: Pick<Tool, 'name'>, errors: string, advice: Advice): AppError {
  const { names, remedies = [], withoutVmid = false } = advice;
  const list = names.length === 0 ? 'no arguments' : `these arguments: ${names.join(', ')}`;
  const general = (tool: string, repeat: string, listing: string) =>
    `Correct the arguments and ${repeat} again.${withoutVmid ? ` Find a vmid by name with ${listing}.` : ''} ${tool} has ${list}.`;
  // For a person the name would become a command, which has other arguments.
  const hint = {
    model: general(name, 'call', 'proxmox_list_containers'),
    person: general('The tool', 'try', '`proxmox-mcp list`'),
  };
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

/** @param coerced the arguments that were parsed: a list that was given as JSON text is a list there */
function describe(
  issue: z.core.$ZodIssue,
  args: Arguments,
  coerced: Arguments,
  names: readonly string[],
): string[] {
  const path = describedPath(issue, coerced);
  if (issue.code === 'unrecognized_keys') {
    const noField = (key: string) => `\`${pathText(path)}\` has no field \`${shortened(key)}\``;
    const unknown = (key: string) => (path.length === 0 ? unknownArgument(key, names) : noField(key));
    return issue.keys.slice(0, MAX_ERRORS + 1).map(unknown);
  }
  const value = path.reduce(valueIn, path.length === 1 ? args : coerced);
  // The error of a rule about several arguments is a complete sentence also if this one is missing.
  const missing = value === undefined && issue.code !== 'custom';
  return [`\`${pathText(path)}\` ${missing ? 'is required' : `${issue.message}${shown(value)}`}`];
}

/**
 * The path to an object in a list, or to its field. For a plain value in a list, and for an object that a schema reads as a list,
 * the message describes the whole argument.
 */
function describedPath({ code, path }: z.core.$ZodIssue, coerced: Arguments): readonly PropertyKey[] {
  const inObject = path.length > 2 || code === 'unrecognized_keys';
  return inObject && Array.isArray(valueIn(coerced, path[0] ?? '')) ? path : path.slice(0, 1);
}

/** `edits[0].old` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

function valueIn(from: unknown, key: PropertyKey): unknown {
  return typeof from === 'object' && from !== null && Object.hasOwn(from, key)
    ? Reflect.get(from, key)
    : undefined;
}

function unknownArgument(key: string, names: readonly string[]): string {
  const meant = nearest(key, names);
  const hint = meant === undefined ? '' : ` (did you mean \`${meant}\`?)`;
  return `\`${shortened(key)}\` is not an argument${hint}`;
}

/** The value, if it is short. A long one may be a command or contain a secret. */
function shown(value: unknown): string {
  if (value === undefined) return '';
  const json = JSON.stringify(value) ?? '';
  return json.length > 40 ? '' : `, got ${json}`;
}

function shortened(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key;
}
