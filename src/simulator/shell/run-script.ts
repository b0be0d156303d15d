import { Executor } from './execute.ts';
import { parserOf } from './parser.ts';
import type { Shell } from './posix-shell.ts';
import { ExitShell, LeaveLoop, Replaced, ReturnFrom, ShellError } from './shell-errors.ts';
import { ShellSyntaxError, UnsupportedSyntax } from './syntax-error.ts';
import type { List } from './syntax-tree.ts';

/** Runs commands in a subshell that ends with them. @returns the exit code */
export function subshell(shell: Shell, list: List, tested = false): Promise<number> {
  return toEnd(shell, (executor) => executor.list(list, { tested, last: true }));
}

/** Runs the text of `sh -c`. @returns the exit code */
export function runCommandText(shell: Shell, text: string): Promise<number> {
  return toEnd(shell, (executor) => runText(executor, text, true));
}

/** Cache of parsed scripts, whose trees are immutable. */
const parsed = new Map<string, readonly List[]>();
const MOST_PARSED = 200;

/** The lines of a text, each parsed when it is requested, as a shell does: the lines before a syntax error run. */
function* linesOf(text: string, bash: boolean): Generator<{ list: List; last: boolean }> {
  const key = `${bash}${text}`;
  const known = parsed.get(key);
  if (known) {
    for (const [index, list] of known.entries()) yield { list, last: index === known.length - 1 };
    return;
  }
  const parser = parserOf(text, { bash, firstLine: 1 });
  const lists: List[] = [];
  for (let list = parser.line(); list; list = parser.line()) {
    lists.push(list);
    yield { list, last: /^\s*$/.test(text.slice(parser.position)) };
  }
  if (parsed.size >= MOST_PARSED) parsed.clear();
  parsed.set(key, lists);
}

/** Runs a text as `eval` does. @param last nothing follows in this process @returns the last exit code */
export async function runText(executor: Executor, text: string, last = false): Promise<number> {
  const { shell } = executor;
  let empty = true;
  for (const line of linesOf(text, shell.dialect === 'bash')) {
    empty = false;
    await executor.list(line.list, { tested: false, last: last && line.last });
  }
  if (empty) shell.status = 0;
  return shell.status;
}

/** Runs the script on stdin, one complete command at a time as it arrives. @returns the exit code */
export function runInput(shell: Shell): Promise<number> {
  return toEnd(shell, async (executor) => {
    const bash = shell.dialect === 'bash';
    let text = '';
    let line = 1;
    for (let ended = false; ; ) {
      const command = commandAt(text, { bash, firstLine: line, partial: !ended });
      if (command !== undefined) {
        line += command.lines;
        text = text.slice(command.text.length);
        await executor.list(command.list);
        continue;
      }
      if (ended) return shell.status;
      const more = await shell.process.fds.get(0).read(shell.process, BLOCK_BYTES);
      if (more.length === 0) ended = true;
      text += more.toString('latin1');
    }
  });
}

/** A complete command of a script on stdin, with the end of its line. */
interface InputCommand {
  readonly text: string;
  /** The number of newlines in the text. */
  readonly lines: number;
  readonly list: List;
}

/** The parsed commands by shell, line number and first line: the same scripts are sent in most requests, with other arguments. */
const parsedInput = new Map<string, InputCommand[]>();
const MOST_FIRST_LINES = 500;
const MOST_OF_A_LINE = 20;

/** The first command of a text, or undefined if there is none or if further input could complete it. */
function commandAt(
  text: string,
  options: { bash: boolean; firstLine: number; partial: boolean },
): InputCommand | undefined {
  if (text === '') return undefined;
  const end = text.indexOf('\n');
  const key = `${options.bash} ${options.firstLine} ${end < 0 ? text : text.slice(0, end)}`;
  const known = parsedInput.get(key) ?? [];
  const found = known.find((each) => text.startsWith(each.text));
  if (found !== undefined) return found;
  if (options.partial && known.some((each) => each.text.startsWith(text))) return undefined;
  const parser = parserOf(text, options);
  const list = options.partial ? complete(() => parser.line()) : parser.line();
  if (list === undefined) return undefined;
  const own = text.slice(0, parser.position);
  const command = { text: own, lines: own.split('\n').length - 1, list };
  // At the end of the input, a here-document may lack its end, so the command could go on in another text.
  const isWhole = options.partial || own.length < text.length;
  if (isWhole && own.endsWith('\n') && known.length < MOST_OF_A_LINE) {
    if (parsedInput.size >= MOST_FIRST_LINES) parsedInput.clear();
    parsedInput.set(key, [...known, command]);
  }
  return command;
}

/** dash reads its script in blocks of this size: the block that contains a command cannot be read by that command. */
const BLOCK_BYTES = 8192;

/** undefined if further input could complete the line. */
function complete(parse: () => List | undefined): List | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ShellSyntaxError && error.incomplete) return undefined;
    throw error;
  }
}

/** Runs the work of a shell and its EXIT trap. @returns the exit code of the process */
async function toEnd(shell: Shell, work: (executor: Executor) => Promise<number>): Promise<number> {
  const executor = new Executor(shell);
  try {
    const code = await guarded(executor, async () => {
      const last = await work(executor);
      await executor.runTraps();
      return last;
    });
    shell.status = code;
    const action = shell.traps.get('EXIT');
    if (action === undefined || action === '') return code;
    shell.traps.set('EXIT', undefined);
    // The exit code is kept, unless the trap calls `exit`.
    return await guarded(executor, async () => {
      await executor.evaluate(action);
      return code;
    });
  } catch (error) {
    if (error instanceof Replaced) return error.code;
    throw error;
  }
}

async function guarded(executor: Executor, work: () => Promise<number>): Promise<number> {
  const { shell } = executor;
  try {
    return await work();
  } catch (error) {
    if (error instanceof ExitShell || error instanceof ReturnFrom) return error.code;
    if (error instanceof LeaveLoop) return shell.status;
    if (error instanceof ShellError) {
      await shell.complain(error.message);
      return error.code;
    }
    if (error instanceof ShellSyntaxError) {
      shell.line = error.line;
      const unsupported = error instanceof UnsupportedSyntax;
      await shell.complain(unsupported ? error.message : wording(shell, error.message));
      return 2;
    }
    throw error;
  }
}

function wording(shell: Shell, message: string): string {
  if (shell.dialect === 'bash') {
    const quote = message.includes('Unterminated')
      ? 'unexpected EOF while looking for matching quote'
      : message;
    return `syntax error: ${quote.replace('end of file unexpected', 'unexpected end of file')}`;
  }
  return shell.dialect === 'ash' ? `syntax error: ${message}` : `Syntax error: ${message}`;
}
