import { parse } from 'dotenv';

/**
 * Removes the quotes around a value of the environment, as in an env file: `docker run --env-file` and `set NAME="value"` of
 * cmd.exe keep them. Quotes inside the value are kept.
 */
export function unquoted(value: string | undefined): string | undefined {
  if (!isQuoted(value)) return value;
  return parse(`VALUE=${value.trim()}`).VALUE ?? value;
}

/** Whether a value is enclosed in a pair of quotes. */
export function isQuoted(value: string | undefined): value is string {
  return value !== undefined && /^\s*(["'`])(?:(?!\1)[\s\S])*\1\s*$/.test(value);
}
