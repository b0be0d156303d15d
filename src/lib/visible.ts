import { lazy } from './lazy.ts';

/** Control characters except tab and newline, a carriage return that is not part of CRLF, and unpaired surrogates. */
const CONTROL = String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\p{Surrogate}]|\r(?!\n)`;

/** Scripts whose letters do not join, so that a joiner between them has no visible effect. */
const NOT_JOINING =
  'Latin|Greek|Cyrillic|Armenian|Georgian|Hebrew|Han|Hiragana|Katakana|Hangul|Bopomofo|Thai|Lao'
    .split('|')
    .map((script) => String.raw`\p{Script=${script}}`)
    .join('');

/**
 * Invisible characters that are allowed where they have a visible effect, one at a time: joiners after a letter of a joining
 * script and between emoji, and a variation selector after a character that has variants.
 */
const NEEDED = [
  String.raw`(?<=(?![${NOT_JOINING}\p{Script=Inherited}])[\p{L}\p{M}]|[\u064b-\u0655\u0670])[\u200c\u200d]`,
  String.raw`(?<=\p{Extended_Pictographic}\ufe0f?|\p{Emoji_Modifier})\u200d(?=\p{Extended_Pictographic})`,
  String.raw`(?<=(?![0-9#*])\p{Emoji})[\ufe0e\ufe0f]`,
  String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
  String.raw`(?<=\p{Script=Han})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
  String.raw`(?<=\p{Sm}|\p{Script=Myanmar})\ufe00`,
  String.raw`(?<=(?!\p{Variation_Selector})\p{Script=Mongolian})[\u180b-\u180d\u180f]`,
].join('|');

/**
 * Characters that must be escaped for a terminal or a model: control characters, and all characters with the Unicode properties
 * format character, line or paragraph separator, or default ignorable. Because it uses properties, new versions of Unicode
 * extend the list.
 */
export const UNSAFE_CHARACTER = String.raw`${CONTROL}|(?=[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])(?!${NEEDED})[^]`;

/** A quick check that most text passes, before the long list is used. */
const MAY_BE_UNSAFE = /[^\t\n\r -~]|\r(?!\n)/;
const unsafePattern = lazy(() => new RegExp(UNSAFE_CHARACTER, 'gu'));

/** Whether `visible` would change the text. */
export function hasUnsafe(text: string): boolean {
  return MAY_BE_UNSAFE.test(text) && text.search(unsafePattern()) >= 0;
}

/**
 * Replaces every unsafe character by an escape such as `<U+001B>`, with four to six upper-case hex digits. Idempotent, because
 * the escape is ordinary text.
 */
export function visible(text: string): string {
  return hasUnsafe(text) ? text.replace(unsafePattern(), escaped) : text;
}

/** Start and end of the unsafe characters in UTF-16 units, in order. */
export function* unsafeIn(text: string): Generator<{ readonly start: number; readonly end: number }> {
  if (!hasUnsafe(text)) return;
  for (const match of text.matchAll(unsafePattern())) {
    yield { start: match.index, end: match.index + match[0].length };
  }
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `<U+${hex.padStart(4, '0')}>`;
}
