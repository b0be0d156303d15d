import type { Span } from './spans.ts';
import { isStandIn } from './stand-ins.ts';

/** Maximum length of a redacted value. */
export const MAX_VALUE = 4096;
export const BLANK_OR_QUOTE = /[\s"'`]/;
export const UNQUOTED_END = /[\s"'`&;,)}\]<>|]/;

export interface Value {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** The value at a position: up to its closing quote, or up to one of `stops` if it is unquoted. */
export function valueAt(text: string, at: number, stops: RegExp, max = MAX_VALUE): Value {
  const [opening] = /^\\{0,3}["'`]/.exec(text.slice(at, at + 4)) ?? [];
  if (opening === undefined) return { start: at, end: until(text, at, stops, max), quoted: false };
  const start = at + opening.length;
  const quote = opening.slice(-1);
  const escaped = opening.length > 1;
  const limit = Math.min(text.length, start + MAX_VALUE);
  for (let end = start; end < limit; end++) {
    const character = text[end];
    if (character === '\n') return { start, end, quoted: true };
    if (character === quote) return { start, end: escaped ? end - opening.length + 1 : end, quoted: true };
    if (character === '\\' && !escaped) end++;
  }
  return { start, end: limit, quoted: true };
}

/** The offset of the first of `stops`, at most `max` characters after `at`. */
export function until(text: string, start: number, stops: RegExp, max = MAX_VALUE): number {
  const found = text.slice(start, start + max).search(stops);
  return found < 0 ? Math.min(text.length, start + max) : start + found;
}

/** A span for a value; none if it is empty or a stand-in for a secret. */
export function secretAt(text: string, { start, end }: Omit<Value, 'quoted'>, kind: string): Span[] {
  return end > start && !isStandIn(text.slice(start, end)) ? [{ start, end, kind }] : [];
}

/** Maximum length of the searched part of a line. */
const MAX_LINE = 400;

/** The start of the line of an offset, at most 400 characters before it. */
export function lineStart(text: string, at: number): number {
  const from = Math.max(0, at - MAX_LINE);
  return from + text.slice(from, at).lastIndexOf('\n') + 1;
}

/** The line around an offset, at most 400 characters to either side. */
export function lineAround(text: string, at: number): string {
  return text.slice(lineStart(text, at), until(text, at, /\n/, MAX_LINE));
}
