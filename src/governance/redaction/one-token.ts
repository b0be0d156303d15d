import type { Span } from './spans.ts';

/** No shell metacharacter, quote or space; `#`, `!` and `~` mean something only at the beginning of a word. */
const TOKEN = /[\w.+/=:@%,^-][\w.+/=:@%,^#!~-]{0,255}/y;

/**
 * The part of a span that may be left out of the audit log: one token at the span's beginning, at most. The author of a
 * command decides what looks like a secret, so more than that would let the author decide what is logged.
 */
export function oneToken(text: string, { start, end, kind }: Span): Span[] {
  TOKEN.lastIndex = start;
  const token = TOKEN.exec(text)?.[0] ?? '';
  // The marker lines of a private key are no secret, and its other lines could be commands.
  const isKeyBlock = kind === 'private key' && token.startsWith('-');
  // Between backticks is a command.
  if (token === '' || isKeyBlock || text[start - 1] === '`') return [];
  return [{ start, end: Math.min(end, start + token.length), kind }];
}
