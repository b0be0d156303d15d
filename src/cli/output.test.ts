import { expect, test } from 'vitest';
import { forTerminal, styleFor } from './output.ts';

test('styles of our own reach the terminal, what else would act on it is shown', () => {
  const style = styleFor(true);
  const ours = `${style.bold(style.red('a'))} \r\u001b[2K${style.dim('b')}\n`;
  expect(forTerminal(ours)).toBe(ours);
  expect(forTerminal('\u001b]0;title\u0007\u001b[2J\u001b[1;1H\u202e\u009b1A\rover')).toBe(
    '<U+001B>]0;title<U+0007><U+001B>[2J<U+001B>[1;1H<U+202E><U+009B>1A<U+000D>over',
  );
});
