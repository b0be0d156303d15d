import { AppError } from './errors.ts';

/** A placeholder has a kind and an id of six hexadecimal digits, which other text about redaction does not have. */
const PLACEHOLDER = /\[redacted: [A-Za-z][\w -]{0,60} [0-9a-f]{6}\]/;
/** Maximum length of a match. Code that reads in chunks must keep this much of the previous chunk. */
export const LONGEST_PLACEHOLDER = 96;

/** The text that replaces a secret of a kind. */
export function placeholderOf(kind: string, id: string): string {
  return `[redacted: ${kind} ${id}]`;
}

/**
 * The first placeholder in a value, including strings in objects and arrays; undefined if there is none. Placeholders of other
 * processes count too, because a conversation may be older than the process.
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

/** @param where where the placeholder is: `The argument "command"`, `The local file /x` */
export function placeholderInInput(where: string, placeholder: string): AppError {
  return new AppError(
    'PLACEHOLDER_IN_INPUT',
    `${where} contains ${placeholder}, which is a placeholder for a redacted secret. The call was not executed, because it would replace the secret by that text.`,
    {
      model:
        'Change only the lines around the secret, for example with sed in the container, or ask the user for the secret.',
      person:
        'Change only the lines around the secret, for example with sed in the container, or type the secret itself.',
    },
  );
}
