import * as z from 'zod/v4';

/*
 * Parsers for the text of settings. An error message completes the sentence `NAME (source) …`. It never repeats the value,
 * because the value may be a secret in the wrong setting.
 */

/** Adds an error with a remedy; without one, the remedy is the example of the setting. */
export function reject(ctx: z.core.$RefinementCtx, message: string, remedy?: string): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message, ...(remedy === undefined ? {} : { params: { remedy } }) });
  return z.NEVER;
}

export function boolean() {
  return z.stringbool({
    truthy: ['true', '1', 'yes', 'on'],
    falsy: ['false', '0', 'no', 'off'],
    error: 'is neither true nor false (also valid: 1/0, yes/no, on/off)',
  });
}

/** An integer in digits. `0x16`, `1e3` and `+5` are rejected as likely typos. */
export function integer(min: number, max: number) {
  const error = `is not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z
    .string()
    .toLowerCase()
    .pipe(z.enum(values, { error: `is not one of ${values.join(', ')}` }));
}

/** Some of these values, separated by commas. */
export function choices<const T extends readonly [string, ...string[]]>(values: T) {
  const error = `is not a comma-separated list of ${values.join(', ')}`;
  return z
    .string()
    .toLowerCase()
    .transform((value) => [...new Set(value.split(',').map((each) => each.trim()))].filter(Boolean))
    .pipe(z.array(z.enum(values, { error })).min(1, { error }));
}

export function text() {
  return z.string();
}

/** The text of a key: 32 bytes or more, so that it cannot be guessed. */
export function longSecret() {
  return z.string().refine((value) => Buffer.byteLength(value) >= 32, {
    error: 'is shorter than 32 bytes',
  });
}

export function userName() {
  return z.string().transform((value, ctx) => {
    if (/^[^\s:@/\\'"`$;&|<>-][^\s:@/'"`$;&|<>]*$/.test(value)) return value;
    const [, user = '', realm] = /^([\w.-]+)@(pam|pve)$/.exec(value) ?? [];
    if (realm === undefined) return reject(ctx, 'is not a user name');
    const linuxUser = realm === 'pam' ? `, without the realm: ${user}` : ', such as root';
    return reject(ctx, 'is a user of the web interface', `SSH needs a Linux user of the node${linuxUser}.`);
  });
}

/** A tag that is valid in Proxmox VE. */
export function tag() {
  return z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,123}$/, { error: 'is not a valid Proxmox VE tag' });
}
