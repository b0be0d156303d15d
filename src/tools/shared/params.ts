import * as z from 'zod';

/**
 * The parameters that tools share. What a schema accepts here is what it advertises, with two exceptions
 * made for weak clients: a vmid may come in digits, a response_format in any case. Each message completes
 * the sentence "`name` …".
 */

const VMID_MIN = 100;
const VMID_MAX = 999_999_999;
const vmidRule = { error: `must be an integer from ${VMID_MIN} to ${VMID_MAX}` };

/** Digits only: z.coerce would take "0x65", "1e2", " 101" and [150] for numbers as well. */
export const vmid = z.preprocess(
  (value) => (typeof value === 'string' && /^[1-9]\d{2,8}$/.test(value) ? Number(value) : value),
  z
    .int(vmidRule)
    .min(VMID_MIN, vmidRule)
    .max(VMID_MAX, vmidRule)
    .describe('Container ID, from proxmox_list_containers'),
);

/** The input of a container tool: its own parameters after the vmid. */
export function containerInput<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ vmid, ...shape });
}

/**
 * The input of a tool that changes a container: the caller may say whom it means, so that a vmid that was mixed up is
 * noticed before anything runs. Compared before the tool is run, by the path of every call.
 */
export function changingInput<Shape extends z.ZodRawShape>(shape: Shape) {
  return containerInput({ ...shape, expect_name: expectName });
}

/** In Unicode characters, as JSON Schema's maxLength counts, not in UTF-16 units. */
function characters(min: number, max: number) {
  const fits = (value: string) => {
    if (value.length < min) return false;
    return value.length <= max || [...value].length <= max;
  };
  return z
    .string({ error: 'must be a string' })
    .refine(fits, { error: `must have ${min} to ${max} characters` })
    .refine((value) => !value.includes('\0'), { error: 'must not contain a NUL character' })
    .meta({ minLength: min, maxLength: max });
}

/** Host names are at most 255 characters long. */
const expectName = characters(1, 255).optional().describe('Refuse unless the container has this name');

export const command = characters(1, 10_000).describe('Shell command line, run by bash or sh');

export function path(description: string) {
  return characters(1, 4096).describe(description);
}

/** @param description what happens after that time, for the model */
export function seconds(fallback: number, description: string) {
  const rule = { error: 'must be an integer from 1 to 300 (seconds)' };
  return z.int(rule).min(1, rule).max(300, rule).default(fallback).describe(description);
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

/** No default in the schema: omitted means 644 for a new file, and unchanged for one that is overwritten. */
export const permissions = z
  .string({ error: 'must be a string of three or four octal digits, like "644"' })
  .regex(/^[0-7]{3,4}$/, { error: 'must be three or four octal digits, like "644"' })
  .optional()
  .describe('Octal mode. Default: 644, or unchanged when overwriting');

/** A name or a numeric id; the pattern keeps out what a program could take for an option. */
function account(description: string) {
  return z
    .string({ error: 'must be a string' })
    .regex(/^(?:\d{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?)$/, { error: 'must be a name or a numeric id' })
    .optional()
    .describe(description);
}

export const owner = account('User name or ID');
export const group = account('Group name or ID');
