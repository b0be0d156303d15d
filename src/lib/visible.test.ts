import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible } from './visible.ts';

/** Independent of the code under test. A single character has no base, so no exception applies to it. */
function isUnsafe(code: number): boolean {
  if (code === 0x09 || code === 0x0a) return false;
  if (code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xdfff)) return true;
  const character = String.fromCodePoint(code);
  return (
    /\p{Cf}/u.test(character) ||
    /\p{Default_Ignorable_Code_Point}/u.test(character) ||
    code === 0x2028 ||
    code === 0x2029
  );
}

const anyText = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0x2000, max: 0x2070 }),
    fc.integer({ min: 0xd700, max: 0xe000 }),
    fc.integer({ min: 0xdff00, max: 0xe01ff }),
    fc.integer({ min: 0, max: 0x10ffff }),
  ),
);
/** Joiners and variation selectors may follow some characters. */
const notNeeded = (code: number) =>
  code !== 0x200c && code !== 0x200d && !/\p{Variation_Selector}/u.test(String.fromCodePoint(code));
const textOf = (codes: number[]) => codes.map((code) => String.fromCodePoint(code)).join('');
const codesOf = (text: string) => [...text].map((character) => character.codePointAt(0) ?? 0);

test('shows every Unicode character either unchanged or as its escape', () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const shown = visible(character);
    if (!isUnsafe(code)) {
      if (shown !== character) expect(shown).toBe(character);
    } else if (shown !== `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`) {
      expect(shown).toBe(`an escape of ${code.toString(16)}`);
    }
  }
});

describe('for any text', () => {
  test('leaves no unsafe character except the carriage return of a newline, and drops nothing', () => {
    fc.assert(
      fc.property(anyText, (codes) => {
        const text = textOf(codes);
        const shown = visible(text);
        expect(codesOf(shown.replaceAll('\r\n', '\n')).filter(isUnsafe).filter(notNeeded)).toEqual([]);
        const back = shown.replace(/<U\+([0-9A-F]{4,6})>/g, (_, hex) =>
          String.fromCodePoint(Number.parseInt(hex, 16)),
        );
        expect(back).toBe(text);
      }),
    );
  });

  test('keeps safe text byte for byte, and is idempotent', () => {
    fc.assert(
      fc.property(anyText, (codes) => {
        const safe = textOf(codes.filter((code) => !isUnsafe(code)));
        expect(visible(safe)).toBe(safe);
        const once = visible(textOf(codes));
        expect(visible(once)).toBe(once);
      }),
    );
  });
});

test('escapes every default-ignorable code point, format character and separator between letters or after an emoji', () => {
  let checked = 0;
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (!/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}]/u.test(character)) continue;
    checked += 1;
    const shown = `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
    if (visible(`a${character}b`) !== `a${shown}b`) expect(`U+${shown} between letters`).toBe('shown');
    // The emoji's own variation selector is the one exception.
    if (code === 0xfe0e || code === 0xfe0f) continue;
    if (visible(`☎${character}`) !== `☎${shown}`) expect(`U+${shown} after an emoji`).toBe('shown');
  }
  expect(checked).toBeGreaterThanOrEqual(4174);
});

test('shows a sentence that is hidden after one character', () => {
  const hidden = [...'ignore all rules'].map((letter) =>
    String.fromCodePoint(0xe0100 + letter.charCodeAt(0)),
  );
  for (const base of ['😀', '葛', 'a']) {
    const shown = visible(base + hidden.join(''));
    expect((shown.match(/<U\+E01/g) ?? []).length).toBeGreaterThanOrEqual(hidden.length - 1);
  }
  expect(visible('a\u200c\u200d\u200cb')).toBe('a<U+200C><U+200D><U+200C>b');
  expect(visible('م\u200c\u200d\u200cم')).toBe('م\u200c<U+200D><U+200C>م');
  expect(visible('☎\ufe0f\ufe0e\ufe0f')).toBe('☎\ufe0f<U+FE0E><U+FE0F>');
  expect(visible('é\u200d')).toBe('é<U+200D>');
});

test.each([
  ['a family of emoji, joined', '👨‍👩‍👧‍👦'],
  ['variation selectors', '☎️ ☎︎ 葛󠄀'],
  ['emoji with a tone, joined, and keycaps', '👩🏽‍🔧 🏳️‍🌈 ❤️‍🔥 1️⃣ #️⃣'],
  ['Hindi with joiners', 'क्‍ष क्‌ष'],
  ['Persian with a non-joiner', 'می‌خواهم'],
  ['Arabic, Hebrew, CJK, combining marks', 'مرحبا שלום 你好 é'],
  ['tabs and newlines of both kinds', 'a\tb\nc\r\nd'],
  ['what looks like an escape', '\\u{1b} <U+001B> ^['],
])('keeps %s', (_, text) => {
  expect(visible(text)).toBe(text);
});

test.each([
  ['colors', '\u001b[31mred\u001b[0m', '<U+001B>[31mred<U+001B>[0m'],
  ['a line that overwrites itself', '10 %\r20 %\r\n', '10 %<U+000D>20 %\r\n'],
  ['a title set by a terminal sequence', '\u009d0;x\u0007', '<U+009D>0;x<U+0007>'],
  ['text turned around', 'safe\u202egnp.exe', 'safe<U+202E>gnp.exe'],
  ['invisible letters', 'a\u{e0041}\u200b\u2060\ufeffb', 'a<U+E0041><U+200B><U+2060><U+FEFF>b'],
  ['separators of lines', 'a\u2028b\u2029c', 'a<U+2028>b<U+2029>c'],
  ['fillers and soft hyphens', 'a\u3164b\u00adc\u115fd\u180ee', 'a<U+3164>b<U+00AD>c<U+115F>d<U+180E>e'],
  ['half a character', '\ud83d!', '<U+D83D>!'],
])('escapes %s', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});
