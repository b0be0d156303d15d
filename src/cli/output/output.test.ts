import { expect, test } from 'vitest';
import { forTerminal, styleFor } from './output.ts';

test('passes its own styles to the terminal, and shows all other control characters as escapes', () => {
  const { bold, dim, red, green, yellow } = styleFor(true);
  const ours = `${bold(red('a'))} ${dim('b')}${green('c')}${yellow('d')}\n`;
  expect(forTerminal(ours)).toBe(ours);
  expect(forTerminal('\u001b]0;title\u0007\u001b[2J\u001b[1;1H\u202e\u009b1A\rover')).toBe(
    '<U+001B>]0;title<U+0007><U+001B>[2J<U+001B>[1;1H<U+202E><U+009B>1A<U+000D>over',
  );
});

test.each([
  ['hides the text after it', '\u001b[8mrm -rf', '<U+001B>[8mrm -rf'],
  ['paints black on black', '\u001b[30m\u001b[40mx', '<U+001B>[30m<U+001B>[40mx'],
  ['resets a style', '\u001b[0m\u001b[m', '<U+001B>[0m<U+001B>[m'],
  ['writes an allowed style with other parameters', '\u001b[01m\u001b[1;8m', '<U+001B>[01m<U+001B>[1;8m'],
  ['clears the line', 'denied\r\u001b[2Kallowed', 'denied<U+000D><U+001B>[2Kallowed'],
  ['clears the line without a carriage return', '\u001b[2K', '<U+001B>[2K'],
])('shows as an escape what %s', (_what, text, shown) => {
  expect(forTerminal(text)).toBe(shown);
});
