import * as z from 'zod';
import { inThousands } from '../../lib/in-thousands.ts';

/**
 * The parameters that tools share. A schema accepts exactly what it advertises, with two exceptions for clients that do not
 * follow schemas: a vmid may be a string of digits, and a response_format may be in upper case. Each message completes the
 * sentence "`name` …". A `remedy` is a sentence that replaces the general suggestion.
 */

const VMID_MIN = 100;
const VMID_MAX = 999_999_999;
const vmidRule = { error: `must be an integer from ${VMID_MIN} to ${VMID_MAX}` };

/** Digits only: z.coerce would also accept "0x65", "1e2", " 101" and [150]. */
function vmidFrom(number: z.ZodInt) {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^[1-9]\d{2,8}$/.test(value) ? Number(value) : value),
    number,
  );
}

const vmidInteger = z.int(vmidRule).min(VMID_MIN, vmidRule).max(VMID_MAX, vmidRule);

export const vmid = vmidFrom(vmidInteger.describe('Container ID, from proxmox_list_containers'));

/** A VMID in a list, whose parameter has a description. */
export function listedVmid(rule: { readonly error: string } = vmidRule) {
  const limited = z.int(rule).min(VMID_MIN, rule).max(VMID_MAX, rule);
  return vmidFrom(limited.meta({ minimum: undefined, maximum: undefined }));
}

export const vmidNumber = listedVmid();

/** The input of a container tool: the vmid and its other parameters. */
export function containerInput<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ vmid, ...shape });
}

/**
 * The input of a tool that changes a container. The caller may pass the expected name, so that a wrong vmid is detected.
 * The policy compares it before the tool runs.
 */
export function changingInput<Shape extends z.ZodRawShape>(shape: Shape) {
  return containerInput({ ...shape, expect_name: expectName });
}

/**
 * A string. Its length counts Unicode characters, as JSON Schema's maxLength does, not UTF-16 units.
 * @param remedy what to do if it is too long
 */
function characters(min: number, max: number, remedy?: string) {
  const isShortEnough = (value: string) => value.length <= max || [...value].length <= max;
  const limits = `must have ${min} to ${inThousands(max)} characters`;
  return z
    .string({ error: 'must be a string' })
    .refine((value) => value.length >= min, { error: min === 1 ? 'must not be empty' : limits })
    .refine(isShortEnough, { error: limits, params: { remedy } })
    .refine((value) => !value.includes('\0'), { error: 'must not contain a NUL character' })
    .meta({ minLength: min, maxLength: max });
}

/** Host names are at most 255 characters long. */
export const expectName = characters(1, 255).optional().describe('Refuse unless the container has this name');

const TOO_LONG =
  'Save the command as a script in a file, upload it with proxmox_upload_file_to_container (on the host: proxmox_upload_file_to_host), and run `sh FILE`.';

export const command = characters(1, 10_000, TOO_LONG).describe('Shell command line, run by bash or sh');

/** Text of a file. May be empty. */
export function fileText(description: string, min = 0) {
  return characters(min, 50_000, 'Split the change over several calls, or upload the whole file.').describe(
    description,
  );
}

/** A command that a tool runs besides its own work. */
export function sideCommand(description: string) {
  return characters(1, 10_000).optional().describe(description);
}

/** A file in a container or on the host, with its absolute path. */
export function copyPlace(description: string) {
  const rule = { error: 'must be VMID:/path or host:/path' };
  return characters(1, 4106)
    .refine((value) => /^(?:[1-9]\d{2,8}|host):\//.test(value), rule)
    .describe(description);
}

export function path(description: string) {
  return characters(1, 4096).describe(description);
}

const MAX_SECONDS = 300;

/**
 * A timeout.
 * @param description what happens after the timeout, for the model
 * @param remedy what to do if it is too long
 */
export function seconds(fallback: number, description: string, remedy?: string) {
  const rule = { error: `must be an integer from 1 to ${MAX_SECONDS} (seconds)` };
  return z
    .int(rule)
    .min(1, rule)
    .refine((value) => value <= MAX_SECONDS, { ...rule, params: { remedy } })
    .meta({ maximum: MAX_SECONDS })
    .default(fallback)
    .describe(description);
}

/** An integer that every client can write, at least `min`. */
export function wholeNumber(description: string, min = Number.MIN_SAFE_INTEGER) {
  const rule = { error: min > 0 ? `must be an integer from ${min}` : 'must be an integer' };
  return z
    .int(rule)
    .refine((value) => value >= min, rule)
    .meta(min > 0 ? { minimum: min } : {})
    .describe(description);
}

const MAX_JOB_SECONDS = 86_400;

/** The timeout of a command, up to a day in the background. Its default depends on where it runs. */
export const commandTimeout = z
  .int({ error: `must be an integer from 1 to ${MAX_JOB_SECONDS} (seconds)` })
  .min(1, { error: `must be an integer from 1 to ${MAX_JOB_SECONDS} (seconds)` })
  .max(MAX_JOB_SECONDS, { error: `must be an integer from 1 to ${MAX_JOB_SECONDS} (seconds)` })
  .meta({ minimum: undefined, maximum: undefined })
  .optional()
  .describe('Seconds; default 30, in background 86400');

/** A longer timeout than that of a call that waits needs `background`. */
export function requireBackground(
  input: { readonly timeout?: number | undefined; readonly background: boolean },
  ctx: z.RefinementCtx,
): void {
  if (input.background || (input.timeout ?? 0) <= MAX_SECONDS) return;
  ctx.addIssue({
    code: 'custom',
    path: ['timeout'],
    message: `must be an integer from 1 to ${MAX_SECONDS} (seconds) unless \`background\` is true`,
    params: { remedy: 'Set `background` to true: the command runs as a job, up to 86400 seconds.' },
  });
}

/** Fills in the timeout, so that an approval shows it and applies to it. */
export function withTimeout<In extends { timeout?: number | undefined; background: boolean }>(input: In): In {
  return { ...input, timeout: timeoutOf(input) };
}

/** The timeout of a command in seconds. */
export function timeoutOf({
  timeout,
  background,
}: {
  readonly timeout?: number | undefined;
  readonly background: boolean;
}): number {
  return timeout ?? (background ? MAX_JOB_SECONDS : 30);
}

export function flag(description: string) {
  return z.boolean({ error: 'must be true or false' }).default(false).describe(description);
}

export type ResponseFormat = 'text' | 'json';

export function responseFormat(fallback: ResponseFormat) {
  return z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toLowerCase() : value),
      z.enum(['text', 'json'], { error: 'must be "text" or "json"' }),
    )
    .prefault(fallback)
    .describe('Format of the result text');
}

/** Without a default in the schema: if omitted, 644 for a new file, and unchanged for an existing one. */
export const permissions = z
  .string({ error: 'must be a string of three or four octal digits, like "644"' })
  .regex(/^[0-7]{3,4}$/, { error: 'must be three or four octal digits, like "644"' })
  .optional()
  .describe('Octal mode. Default: 644, or unchanged when overwriting');

/** A name or a numeric id. The pattern excludes text that a program could interpret as an option. */
function account(description: string) {
  return z
    .string({ error: 'must be a string' })
    .regex(/^(?:\d{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?)$/, { error: 'must be a name or a numeric id' })
    .optional()
    .describe(description);
}

export const owner = account('User name or ID');
export const group = account('Group name or ID');
