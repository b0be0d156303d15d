/**
 * What must not reach a terminal or a model as it is: control characters (C0 but tab and newline, DEL, C1), bidi controls,
 * zero-width space, word joiner, byte order mark, tag characters, and halves of surrogate pairs. A carriage return
 * belongs to a newline or is one of them. ZWJ, ZWNJ and variation selectors are text: emoji and scripts need them.
 */
export const UNSAFE_CHARACTER = String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}\p{Surrogate}]|\r(?!\n)`;
const UNSAFE = new RegExp(UNSAFE_CHARACTER, 'u');
const ALL_UNSAFE = new RegExp(UNSAFE_CHARACTER, 'gu');

/** Whether `visible` would change the text. */
export function hasUnsafe(text: string): boolean {
  return UNSAFE.test(text);
}

/**
 * The text with every unsafe character shown as `<U+001B>`, four to six upper-case hex digits; all else as it is. What is
 * shown is text itself, so doing it twice changes nothing.
 */
export function visible(text: string): string {
  return UNSAFE.test(text) ? text.replace(ALL_UNSAFE, escaped) : text;
}

/** Where the unsafe characters are: offset and length in UTF-16 units, in order. */
export function* unsafeIn(text: string): Generator<{ readonly start: number; readonly end: number }> {
  for (const match of text.matchAll(ALL_UNSAFE)) {
    yield { start: match.index, end: match.index + match[0].length };
  }
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `<U+${hex.padStart(4, '0')}>`;
}
