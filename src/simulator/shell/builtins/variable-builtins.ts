import { posix } from 'node:path';
import { FileError } from '../../files/inode.ts';
import { fromBytes, toBytes } from '../../kernel/bytes.ts';
import type { Builtin } from '../builtins.ts';
import type { Executor } from '../execute.ts';
import type { Shell } from '../posix-shell.ts';
import { ShellError } from '../shell-errors.ts';
import { setOptions } from '../shell-options.ts';

const NAME = /^[A-Za-z_]\w*$/;

async function print(shell: Shell, bytes: string): Promise<void> {
  await shell.process.fds.get(1).write(shell.process, Buffer.from(bytes, 'latin1'));
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

/** `NAME` or `NAME=value`. @throws ShellError if the name is invalid */
function declaration(command: string, arg: string): { name: string; value: string | undefined } {
  const at = arg.indexOf('=');
  const name = at < 0 ? arg : arg.slice(0, at);
  if (!NAME.test(name)) throw new ShellError(`${command}: ${name}: bad variable name`);
  return { name, value: at < 0 ? undefined : arg.slice(at + 1) };
}

function declare(kind: 'exported' | 'readonly', command: string): Builtin {
  return async ({ shell }, args) => {
    const given = args.filter((arg) => arg !== '-p' && arg !== '--');
    if (given.length === 0) {
      for (const name of shell.variables.names(kind)) {
        const value = shell.variables.get(name);
        await print(shell, `${command} ${name}${value === undefined ? '' : `=${quoted(value)}`}\n`);
      }
    }
    for (const arg of given) {
      const { name, value } = declaration(command, arg);
      if (!shell.variables.set(name, value, { [kind]: true })) throw new ShellError(`${name}: is read only`);
    }
    return 0;
  };
}

async function local({ shell }: Executor, args: readonly string[]): Promise<number> {
  if (!shell.variables.inFunction) throw new ShellError('local: not in a function');
  for (const arg of args) {
    const { name, value } = declaration('local', arg);
    shell.variables.makeLocal(name);
    if (value !== undefined && !shell.variables.set(name, value))
      throw new ShellError(`${name}: is read only`);
  }
  return 0;
}

async function unset({ shell }: Executor, args: readonly string[]): Promise<number> {
  const functions = args[0] === '-f';
  for (const name of args.filter((arg) => arg !== '-f' && arg !== '-v' && arg !== '--')) {
    if (functions) shell.functions.delete(name);
    else if (!NAME.test(name)) throw new ShellError(`unset: ${name}: bad variable name`);
    else if (!shell.variables.unset(name)) throw new ShellError(`unset: ${name}: is read only`);
  }
  return 0;
}

async function set({ shell }: Executor, args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    for (const name of shell.variables.names('all'))
      await print(shell, `${name}=${quoted(shell.variables.get(name) ?? '')}\n`);
    return 0;
  }
  shell.positional = (await setOptions(shell, args)) ?? shell.positional;
  return 0;
}

async function shift({ shell }: Executor, [text = '1']: readonly string[]): Promise<number> {
  if (!/^\d+$/.test(text)) throw new ShellError(`shift: Illegal number: ${text}`);
  if (Number(text) > shell.positional.length) {
    if (shell.dialect !== 'dash') return 1;
    throw new ShellError("shift: can't shift that many");
  }
  shell.positional = shell.positional.slice(Number(text));
  return 0;
}

async function cd({ shell }: Executor, args: readonly string[]): Promise<number> {
  const rest = args.filter((arg) => arg !== '-L' && arg !== '-P' && arg !== '--');
  const [to = shell.variables.get('HOME') ?? ''] = rest;
  const target = to === '-' ? (shell.variables.get('OLDPWD') ?? '') : to;
  if (target === '') return 0;
  const full = posix.resolve(shell.process.cwd, fromBytes(target));
  try {
    const inode = await shell.sys.stat(target);
    if (inode.kind !== 'directory') throw new FileError('ENOTDIR', 'cd', target);
    if (!(await shell.sys.may(target, 1))) throw new FileError('EACCES', 'cd', target);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const text = shell.dialect === 'bash' ? `${target}: ${error.text}` : `can't cd to ${target}`;
    await shell.complain(`cd: ${text}`);
    return shell.dialect === 'dash' ? 2 : 1;
  }
  shell.variables.set('OLDPWD', toBytes(shell.variables.get('PWD') ?? shell.process.cwd));
  shell.process.cwd = full;
  shell.variables.set('PWD', toBytes(full));
  if (to === '-') await print(shell, `${toBytes(full)}\n`);
  return 0;
}

async function pwd({ shell }: Executor, [option]: readonly string[]): Promise<number> {
  const path = option === '-P' ? await shell.sys.realPath('.') : shell.process.cwd;
  await print(shell, `${toBytes(path)}\n`);
  return 0;
}

async function umask({ shell }: Executor, [text]: readonly string[]): Promise<number> {
  if (text === undefined || text === '-S') {
    await print(shell, `${shell.process.umask.toString(8).padStart(4, '0')}\n`);
    return 0;
  }
  if (!/^[0-7]{1,4}$/.test(text)) throw new ShellError(`umask: Illegal number: ${text}`);
  shell.process.umask = Number.parseInt(text, 8);
  return 0;
}

async function getopts({ shell }: Executor, args: readonly string[]): Promise<number> {
  const [spec = '', name = '', ...given] = args;
  const list = given.length > 0 ? given : shell.positional;
  let index = Number(shell.variables.get('OPTIND') ?? 1);
  if (index === 1 && shell.optionAt === 0) shell.optionAt = 1;
  const current = list[index - 1] ?? '';
  const done = async () => {
    shell.variables.set(name, '?');
    shell.variables.set('OPTIND', String(index));
    shell.optionAt = 0;
    return 1;
  };
  if (!/^-./.test(current)) return done();
  if (current === '--') {
    index += 1;
    return done();
  }
  const at = Math.max(1, shell.optionAt);
  const letter = current[at] ?? '';
  const known = letter !== ':' ? spec.indexOf(letter, spec.startsWith(':') ? 1 : 0) : -1;
  const advance = () => {
    if (at + 1 < current.length) shell.optionAt = at + 1;
    else {
      index += 1;
      shell.optionAt = 1;
    }
  };
  shell.variables.unset('OPTARG');
  if (known < 0) {
    shell.variables.set(name, '?');
    if (spec.startsWith(':')) shell.variables.set('OPTARG', letter);
    else await shell.warn(`${shell.arg0}: Illegal option -${letter}\n`);
    advance();
  } else if (spec[known + 1] === ':') {
    const inline = current.slice(at + 1);
    const value = inline !== '' ? inline : list[index];
    index += inline !== '' ? 1 : 2;
    shell.optionAt = 1;
    if (value === undefined) {
      shell.variables.set(name, spec.startsWith(':') ? ':' : '?');
      if (spec.startsWith(':')) shell.variables.set('OPTARG', letter);
      else await shell.warn(`${shell.arg0}: No arg for -${letter} option\n`);
      index -= 1;
    } else {
      shell.variables.set(name, letter);
      shell.variables.set('OPTARG', value);
    }
  } else {
    shell.variables.set(name, letter);
    advance();
  }
  shell.variables.set('OPTIND', String(index));
  return 0;
}

/** The builtins for variables, parameters, options, the directory and the umask. */
export const variableBuiltins: readonly (readonly [string, Builtin])[] = [
  ['export', declare('exported', 'export')],
  ['readonly', declare('readonly', 'readonly')],
  ['local', local],
  ['unset', unset],
  ['set', set],
  ['shift', shift],
  ['cd', cd],
  ['pwd', pwd],
  ['umask', umask],
  ['getopts', getopts],
];
