import { AppError } from './errors.ts';

/** A placeholder: a kind and an ID of six hexadecimal digits, so that text about redaction does not match. */
const PLACEHOLDER = /\[redacted: [A-Za-z][\w -]{0,60} [0-9a-f]{6}\]/;
/** Maximum length of a placeholder: a reader of chunks keeps this many characters of the previous chunk. */
export const LONGEST_PLACEHOLDER = 96;

/** The placeholder for a secret. */
export function placeholderOf(kind: string, id: string): string {
  return `[redacted: ${kind} ${id}]`;
}

/**
 * The first placeholder in a value, including nested strings; undefined if there is none. Placeholders of other processes count
 * too, because a conversation can be older than the process.
 */
export function findPlaceholder(value: unknown): string | undefined {
  if (typeof value === 'string')
    return value.includes('[redacted: ') ? PLACEHOLDER.exec(value)?.[0] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const inner of Object.values(value)) {
    const found = findPlaceholder(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param where what contains it: `The argument "command"`, `The local file /x` */
export function placeholderInInput(where: string, placeholder: string): AppError {
  return new AppError(
    'PLACEHOLDER_IN_INPUT',
    `${where} contains ${placeholder}, which stands for a secret that was redacted. Nothing was executed, because the secret would be replaced by that text.`,
    'Change only the lines around the secret, for example with sed in the container, or ask the user for the secret.',
  );
}
