import * as clack from '@clack/prompts';
import { textWidth, wrapText } from '../../output/output.ts';

/** Prints prose, wrapped to the terminal and the margin that clack draws. */
export function say(kind: 'warn' | 'error' | 'info' | 'message', text: string): void {
  clack.log[kind](wrapped(text));
}

/** Text, wrapped to the terminal and the margin that clack draws. */
export function wrapped(text: string): string {
  const width = textWidth(process.stdout) - 3;
  return text
    .split('\n')
    .flatMap((line) => wrapText(line, width))
    .join('\n');
}
