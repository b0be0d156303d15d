import { FileError } from '../files/inode.ts';
import { searchPath } from '../kernel/execute-file.ts';
import { ioBuiltins } from './builtins/io.ts';
import { processBuiltins } from './builtins/process-builtins.ts';
import { testBuiltin } from './builtins/test.ts';
import { variableBuiltins } from './builtins/variable-builtins.ts';
import type { Executor } from './execute.ts';
import type { Shell } from './posix-shell.ts';
import { ExitShell, LeaveLoop, ReturnFrom, ShellError } from './shell-errors.ts';

/** A command that the shell runs itself. Resolves to the exit code. */
export type Builtin = (executor: Executor, args: readonly string[]) => Promise<number> | number;

/** Assignments before these persist, and their errors end the shell. */
export const SPECIAL_BUILTINS = new Set(
  'break : continue . eval exec exit export readonly return set shift times trap unset'.split(' '),
);

const leave =
  (kind: 'break' | 'continue'): Builtin =>
  ({ shell }, [count = '1']) => {
    if (!/^[1-9]\d*$/.test(count)) throw new ShellError(`${kind}: Illegal number: ${count}`);
    if (shell.loopDepth === 0) return 0;
    throw new LeaveLoop(kind, Number(count));
  };

function codeFrom(shell: Shell, name: string, text: string | undefined): number {
  if (text === undefined) return shell.status;
  if (!/^\d+$/.test(text)) throw new ShellError(`${name}: Illegal number: ${text}`);
  return Number(text) & 255;
}

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['break', leave('break')],
  ['continue', leave('continue')],
  [
    'exit',
    ({ shell }, [code]) => {
      throw new ExitShell(codeFrom(shell, 'exit', code));
    },
  ],
  [
    'return',
    ({ shell }, [code]) => {
      throw new ReturnFrom(codeFrom(shell, 'return', code));
    },
  ],
  ['eval', (executor, args) => executor.evaluate(args.join(' '))],
  // Handled by the executor.
  ['exec', () => 0],
  ['.', source],
  ['command', command],
  [
    'type',
    async ({ shell }, names) => {
      let code = 0;
      for (const name of names) {
        const found = await describe(shell, name);
        if (!found) code = shell.dialect === 'bash' ? 1 : 127;
        await print(shell, found ? `${name} is ${found.description}\n` : `${name}: not found\n`);
      }
      return code;
    },
  ],
  ['hash', () => 0],
  ['alias', unsupported],
  ['unalias', unsupported],
  [
    'times',
    async ({ shell }) => {
      await print(shell, '0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n');
      return 0;
    },
  ],
  ['test', testBuiltin('test')],
  ['[', testBuiltin('[')],
  ...variableBuiltins,
  ...ioBuiltins,
  ...processBuiltins,
]);

function unsupported(): never {
  throw new ShellError("the simulator's shell does not support aliases");
}

async function print(shell: Shell, bytes: string): Promise<void> {
  await shell.process.fds.get(1).write(shell.process, Buffer.from(bytes, 'latin1'));
}

async function source(executor: Executor, [file]: readonly string[]): Promise<number> {
  const { shell } = executor;
  if (file === undefined) return 0;
  let text: string;
  try {
    const path = file.includes('/') ? file : await inPath(shell, file);
    text = (await shell.sys.readFile(path)).toString('latin1');
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ShellError(`.: cannot open ${file}: No such file`);
  }
  try {
    return await executor.evaluate(text);
  } catch (error) {
    if (error instanceof ReturnFrom) return error.code;
    throw error;
  }
}

/** A sourced file need not be executable. */
async function inPath(shell: Shell, name: string): Promise<string> {
  for (const directory of (shell.variables.get('PATH') ?? '').split(':')) {
    if ((await shell.sys.find(`${directory}/${name}`))?.kind === 'file') return `${directory}/${name}`;
  }
  throw new FileError('ENOENT', 'open', name);
}

/** `command NAME ARG…` ignores functions; `command -v` prints what a name refers to. */
async function command(executor: Executor, args: readonly string[]): Promise<number> {
  const { shell } = executor;
  const [option = ''] = args;
  if (!/^-[pvV]/.test(option)) {
    const rest = option === '--' ? args.slice(1) : args;
    return rest.length === 0 ? 0 : executor.simple.runWithoutFunctions(rest);
  }
  if (option === '-p') return executor.simple.runWithoutFunctions(args.slice(1));
  let code = 0;
  for (const name of args.slice(1)) {
    const found = await describe(shell, name);
    if (!found) code = shell.dialect === 'bash' ? 1 : 127;
    else await print(shell, option === '-v' ? `${found.name}\n` : `${name} is ${found.description}\n`);
  }
  return code;
}

const KEYWORDS = new Set('! { } case do done elif else esac fi for if in then until while'.split(' '));

async function describe(
  shell: Shell,
  name: string,
): Promise<{ name: string; description: string } | undefined> {
  if (KEYWORDS.has(name)) return { name, description: 'a shell keyword' };
  if (SPECIAL_BUILTINS.has(name)) return { name, description: 'a special shell builtin' };
  if (shell.functions.has(name)) return { name, description: 'a shell function' };
  if (BUILTINS.has(name)) return { name, description: 'a shell builtin' };
  try {
    const path = await searchPath(shell.process, name, shell.variables.get('PATH') ?? '');
    if (name.includes('/') && !(await shell.sys.may(path, 1))) return undefined;
    return { name: path, description: path };
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
