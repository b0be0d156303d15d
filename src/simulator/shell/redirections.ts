import type { CommandNode, SimpleCommandNode, WordNode } from 'just-bash';
import { word } from './syntax.ts';

/** Paths through which a statement's output leaves as soon as the statement is done. */
export const OUT = '/dev/.stdout';
export const ERR = '/dev/.stderr';

type RedirectionNode = SimpleCommandNode['redirections'][number];

/** A here-document as a here-string: just-bash would write the redirections that follow it behind its end. */
export function asHereString(redirection: RedirectionNode): RedirectionNode {
  const { target } = redirection;
  if (target.type !== 'HereDoc') return redirection;
  const parts = structuredClone(target.content.parts);
  const last = parts.at(-1);
  if (last?.type === 'Literal') last.value = last.value.replace(/\n$/, '');
  const text = parts.map((part) => (part.type === 'Literal' ? part.value : '')).join('');
  const plain = target.quoted || parts.every((part) => part.type === 'Literal');
  const quotedPart: WordNode['parts'][number] = plain
    ? { type: 'SingleQuoted', value: text }
    : { type: 'DoubleQuoted', parts };
  // A single quote can't stand between single quotes.
  const pieces = plain && text.includes("'") ? piecesOf(text) : [quotedPart];
  return { ...redirection, operator: '<<<', target: { type: 'Word', parts: pieces } };
}

function piecesOf(text: string): WordNode['parts'] {
  return text
    .split("'")
    .flatMap((value, index) => [
      ...(index > 0 ? [{ type: 'Escaped' as const, value: "'" }] : []),
      { type: 'SingleQuoted' as const, value },
    ]);
}

/** Puts the streams in front of what the command redirects itself, so that its own words win. */
export function redirect(command: CommandNode, paths: readonly string[], onlyErr = false): void {
  if (command.type === 'FunctionDef') return;
  const [out, err] = onlyErr ? [undefined, ERR] : paths;
  const added = [
    ...(out === undefined ? [] : [{ fd: null, path: out }]),
    ...(err === undefined ? [] : [{ fd: 2, path: err }]),
  ].map(({ fd, path }) => ({
    type: 'Redirection' as const,
    fd,
    operator: '>>' as const,
    target: word(path),
  }));
  command.redirections.unshift(...added);
}

const TO_OUTPUT = new Set(['>', '>>', '>|', '&>', '&>>', '>&']);

export function redirectsOutput(command: Exclude<CommandNode, { type: 'FunctionDef' }>): boolean {
  return command.redirections.some(({ operator }) => TO_OUTPUT.has(operator));
}

export function redirectsBoth(command: CommandNode): boolean {
  const outputs = command.redirections.filter(({ operator }) => TO_OUTPUT.has(operator));
  const both = outputs.some(({ operator }) => operator.startsWith('&>'));
  return both || (outputs.some(({ fd }) => fd === null || fd === 1) && outputs.some(({ fd }) => fd === 2));
}
