import { AppError } from './errors.ts';

/** A kind, and an id of six hexadecimal digits: text that merely mentions redaction has none. */
const PLACEHOLDER = /\[redacted: [A-Za-z][\w -]{0,60} [0-9a-f]{6}\]/;
/** The longest that the pattern matches: who reads in chunks keeps as much of the previous one. */
export const LONGEST_PLACEHOLDER = 96;

/** What replaces a secret of a kind. */
export function placeholderOf(kind: string, id: string): string {
  return `[redacted: ${kind} ${id}]`;
}

/**
 * The first placeholder in a value, strings within objects and arrays included; undefined if there is none. Placeholders of
 * other processes count, because a conversation may be older than the process.
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
