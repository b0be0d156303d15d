import type { Span } from './spans.ts';

/** No shell metacharacter, quote or space; `#`, `!` and `~` mean something only at the beginning of a word. */
const TOKEN = /[\w.+/=:@%,^-][\w.+/=:@%,^#!~-]{0,255}/y;

/**
 * The part of a span that is redacted in the audit log: at most one token at the beginning of the span. The author of a command
 * controls what looks like a secret, and must not be able to hide more than one token from the log.
 */
export function oneToken(text: string, { start, end, kind }: Span): Span[] {
  TOKEN.lastIndex = start;
  const token = TOKEN.exec(text)?.[0] ?? '';
  // The marker lines of a private key are not secret, and its other lines could be commands.
  const isKeyBlock = kind === 'private key' && token.startsWith('-');
  // Text between backticks is a command.
  if (token === '' || isKeyBlock || text[start - 1] === '`') return [];
  return [{ start, end: Math.min(end, start + token.length), kind }];
}
