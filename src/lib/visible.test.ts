import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible } from './visible.ts';

/** Written apart from the code under test: the list, as numbers. */
function isUnsafe(code: number): boolean {
  if (code === 0x09 || code === 0x0a) return false;
  const ranges = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200b, 0x200b],
    [0x200e, 0x200f],
    [0x202a, 0x202e],
    [0x2060, 0x2060],
    [0x2066, 0x2069],
    [0xd800, 0xdfff],
    [0xfeff, 0xfeff],
    [0xe0000, 0xe007f],
  ] as const;
  return ranges.some(([from, to]) => code >= from && code <= to);
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
const textOf = (codes: number[]) => codes.map((code) => String.fromCodePoint(code)).join('');
const codesOf = (text: string) => [...text].map((character) => character.codePointAt(0) ?? 0);

test('every character of Unicode is either itself or its escape', () => {
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
  test('nothing unsafe is left but the carriage return of a newline, and nothing is lost', () => {
    fc.assert(
      fc.property(anyText, (codes) => {
        const text = textOf(codes);
        const shown = visible(text);
        expect(codesOf(shown.replaceAll('\r\n', '\n')).filter(isUnsafe)).toEqual([]);
        const back = shown.replace(/<U\+([0-9A-F]{4,6})>/g, (_, hex) =>
          String.fromCodePoint(Number.parseInt(hex, 16)),
        );
        expect(back).toBe(text);
      }),
    );
  });

  test('what is safe stays byte for byte, and twice is the same as once', () => {
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

test.each([
  ['a family of emoji, joined', '👨‍👩‍👧‍👦'],
  ['variation selectors', '☎️ ☎︎ 葛󠄀'],
  ['Persian with a non-joiner', 'می‌خواهم'],
  ['Arabic, Hebrew, CJK, combining marks', 'مرحبا שלום 你好 é'],
  ['tabs and newlines of both kinds', 'a\tb\nc\r\nd'],
  ['what looks like an escape', '\\u{1b} <U+001B> ^['],
])('%s pass', (_, text) => {
  expect(visible(text)).toBe(text);
});

test.each([
  ['colours', '\u001b[31mred\u001b[0m', '<U+001B>[31mred<U+001B>[0m'],
  ['a line that overwrites itself', '10 %\r20 %\r\n', '10 %<U+000D>20 %\r\n'],
  ['a title set by a terminal sequence', '\u009d0;x\u0007', '<U+009D>0;x<U+0007>'],
  ['text turned around', 'safe\u202egnp.exe', 'safe<U+202E>gnp.exe'],
  ['letters that nobody sees', 'a\u{e0041}\u200b\u2060\ufeffb', 'a<U+E0041><U+200B><U+2060><U+FEFF>b'],
  ['half a character', '\ud83d!', '<U+D83D>!'],
])('%s are shown', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});
