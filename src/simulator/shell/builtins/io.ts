import { formatted, interpretEscapes } from '../../programs/printf.ts';
import type { Builtin } from '../builtins.ts';
import type { Executor } from '../execute.ts';
import type { Shell } from '../posix-shell.ts';
import { ShellError } from '../shell-errors.ts';

async function print(shell: Shell, bytes: string): Promise<void> {
  if (bytes !== '') await shell.process.fds.get(1).write(shell.process, Buffer.from(bytes, 'latin1'));
}

async function echo({ shell }: Executor, args: readonly string[]): Promise<number> {
  let newline = true;
  let escapes = shell.dialect === 'dash';
  let rest = args;
  const options = shell.dialect === 'dash' ? /^-n$/ : /^-[neE]+$/;
  while (options.test(rest[0] ?? '')) {
    const [option = ''] = rest;
    if (option.includes('n')) newline = false;
    if (option.includes('e')) escapes = true;
    if (option.includes('E')) escapes = false;
    rest = rest.slice(1);
    if (shell.dialect === 'dash') break;
  }
  const text = rest.join(' ');
  if (!escapes) {
    await print(shell, `${text}${newline ? '\n' : ''}`);
    return 0;
  }
  const { bytes, stopped } = interpretEscapes(text, 'echo');
  await print(shell, `${bytes}${newline && !stopped ? '\n' : ''}`);
  return 0;
}

async function printf({ shell }: Executor, args: readonly string[]): Promise<number> {
  const [format, ...values] = args[0] === '--' ? args.slice(1) : args;
  if (format === undefined) throw new ShellError('printf: usage: printf format [arg ...]');
  const { bytes, faults } = formatted(format, values);
  for (const each of faults) await shell.complain(`printf: ${each}`);
  await print(shell, bytes);
  return faults.length > 0 ? 1 : 0;
}

/** Reads a line without consuming a byte of the next one. */
async function read({ shell }: Executor, args: readonly string[]): Promise<number> {
  let raw = false;
  let index = 0;
  for (; /^-./.test(args[index] ?? ''); index += 1) {
    const option = args[index] ?? '';
    if (option === '--') {
      index += 1;
      break;
    }
    if (option.includes('r')) raw = true;
    if (option === '-p') {
      index += 1;
      await shell.warn(args[index] ?? '');
    } else if (/[^r-]/.test(option)) throw new ShellError(`read: Illegal option ${option}`);
  }
  const names = args.slice(index);
  if (names.length === 0) {
    if (shell.dialect === 'dash') throw new ShellError('read: arg count');
    names.push('REPLY');
  }
  const { text, escaped, ended } = await readLine(shell, raw);
  const values = splitLine(text, escaped, shell.variables.get('IFS'), names.length);
  for (const [position, name] of names.entries()) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new ShellError(`read: ${name}: bad variable name`);
    if (!shell.variables.set(name, values[position] ?? '')) throw new ShellError(`${name}: is read only`);
  }
  return ended ? 1 : 0;
}

/** @returns the line without its newline, and which of its characters are escaped by a backslash */
async function readLine(shell: Shell, raw: boolean) {
  const { process } = shell;
  const file = process.fds.get(0);
  let text = '';
  const escaped = new Set<number>();
  let backslash = false;
  for (;;) {
    const chunk = await file.read(process, 4096);
    if (chunk.length === 0) return { text, escaped, ended: true };
    const bytes = chunk.toString('latin1');
    for (let at = 0; at < bytes.length; at += 1) {
      const char = bytes[at] ?? '';
      if (backslash) {
        backslash = false;
        if (char === '\n') continue;
        escaped.add(text.length);
        text += char;
      } else if (char === '\\' && !raw) backslash = true;
      else if (char === '\n') {
        file.unread(chunk.subarray(at + 1));
        return { text, escaped, ended: false };
      } else if (char !== '\0') text += char;
    }
  }
}

function splitLine(text: string, escaped: ReadonlySet<number>, ifs = ' \t\n', count = 1): string[] {
  const isWhite = (at: number) =>
    at < text.length && !escaped.has(at) && ifs.includes(text[at] ?? '') && /[ \t\n]/.test(text[at] ?? '');
  const isOther = (at: number) =>
    at < text.length && !escaped.has(at) && ifs.includes(text[at] ?? '') && !/[ \t\n]/.test(text[at] ?? '');
  const values: string[] = [];
  let at = 0;
  while (isWhite(at)) at += 1;
  while (values.length < count - 1 && at < text.length) {
    const start = at;
    while (at < text.length && !isWhite(at) && !isOther(at)) at += 1;
    values.push(text.slice(start, at));
    while (isWhite(at)) at += 1;
    if (isOther(at)) {
      at += 1;
      while (isWhite(at)) at += 1;
    }
  }
  if (at >= text.length) return values;
  let end = text.length;
  while (end > at && isWhite(end - 1)) end -= 1;
  // A single field with a delimiter at its end is that field.
  let fieldEnd = at;
  while (fieldEnd < end && !isWhite(fieldEnd) && !isOther(fieldEnd)) fieldEnd += 1;
  let behind = fieldEnd;
  while (isWhite(behind)) behind += 1;
  if (isOther(behind)) {
    behind += 1;
    while (isWhite(behind)) behind += 1;
    if (behind >= text.length) end = fieldEnd;
  }
  values.push(text.slice(at, end));
  return values;
}

/** The builtins for input and output. */
export const ioBuiltins: readonly (readonly [string, Builtin])[] = [
  ['echo', echo],
  ['printf', printf],
  ['read', read],
];
