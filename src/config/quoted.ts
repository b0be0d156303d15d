import { parse } from 'dotenv';

/**
 * A value of the environment as an env file would have it: `docker run --env-file` hands over the quotes that stand around
 * a value there, and so does `set NAME="value"` of cmd.exe. Quotes within are left alone.
 */
export function unquoted(value: string | undefined): string | undefined {
  if (!isQuoted(value)) return value;
  return parse(`VALUE=${value.trim()}`).VALUE ?? value;
}

/** Whether the whole value stands between two quotes of a kind. */
export function isQuoted(value: string | undefined): value is string {
  return value !== undefined && /^\s*(["'`])(?:(?!\1)[\s\S])*\1\s*$/.test(value);
}
