import { FileError } from '../files/inode.ts';
import { execute as executeFile, searchPath } from '../kernel/execute-file.ts';
import { BUILTINS, type Builtin, SPECIAL_BUILTINS } from './builtins.ts';
import { Executor, type Position } from './execute.ts';
import { redirect, type SavedDescriptors } from './redirect.ts';
import { ExitShell, RedirectionError, Replaced, ReturnFrom, ShellError } from './shell-errors.ts';
import type { Command, SimpleCommand, Word } from './syntax-tree.ts';

/** Runs simple commands: assignments, builtins, functions, programs. */
export class SimpleCommands {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /** Runs an assignment or a test at once if possible. undefined: it must run normally. */
  quick(command: SimpleCommand): true | undefined | Promise<void> {
    const { shell } = this.#executor;
    const { options, traps, process } = shell;
    if (options.x || options.e || options.a || traps.due !== undefined || process.mustWait) return undefined;
    shell.line = command.line;
    if (command.words.length === 0) {
      for (const { name, value } of command.assignments) {
        const text = this.#executor.expander.text(value, { assignment: true });
        // Commands and pathnames are not expanded here.
        if (typeof text !== 'string') throw new Error('the assignment was not to be waited for');
        this.assign(name, text);
      }
      shell.status = 0;
      return true;
    }
    if (shell.functions.has('[') || shell.functions.has('test')) return undefined;
    const fields = this.#executor.expander.fields(command.words);
    const run = ([name = '', ...args]: readonly string[]): true | Promise<void> => {
      const builtin = BUILTINS.get(name);
      const status = builtin ? this.#builtin(builtin, name, args) : 127;
      if (typeof status !== 'number') {
        return status.then((code) => {
          shell.status = code;
        });
      }
      shell.status = status;
      return true;
    };
    if (Array.isArray(fields)) return run(fields);
    return fields.then(async (words) => {
      const done = run(words);
      if (done !== true) await done;
    });
  }

  async run(command: SimpleCommand, position: Position): Promise<void> {
    const { shell } = this.#executor;
    this.#executor.substituted = undefined;
    const expanded = this.#executor.expander.fields(command.words);
    const fields = Array.isArray(expanded) ? expanded : await expanded;
    const [name] = fields;
    const builtin = name === undefined ? undefined : BUILTINS.get(name);
    const isSpecial = name !== undefined && SPECIAL_BUILTINS.has(name);
    const fn = name === undefined || isSpecial ? undefined : shell.functions.get(name);
    let saved: SavedDescriptors | undefined;
    const undo: (() => void)[] = [];
    try {
      if (command.redirections.length > 0)
        saved = await redirect(shell, this.#executor.expander, command.redirections);
      const keeps = name === undefined || (isSpecial && !fn);
      for (const { name: variable, value } of command.assignments) {
        const result = this.#executor.expander.text(value, { assignment: true });
        const text = typeof result === 'string' ? result : await result;
        if (!keeps) undo.push(shell.variables.save(variable));
        this.assign(variable, text);
        // exec passes them to the program.
        if (!keeps || name === 'exec') shell.variables.set(variable, undefined, { exported: true });
      }
      if (shell.options.x) await this.#trace(command, fields);
      if (name === undefined) shell.status = this.#executor.substituted ?? 0;
      else if (fn) await this.#callFunction(fn, fields.slice(1), position.tested);
      else if (name === 'exec') {
        saved?.forget();
        if (fields.length > 1) await this.#exec(fields.slice(fields[1] === '--' ? 2 : 1));
        shell.status = 0;
      } else if (builtin) {
        const result = this.#builtin(builtin, name, fields.slice(1));
        shell.status = typeof result === 'number' ? result : await result;
      } else {
        const last = position.last && !shell.traps.any;
        if (last) {
          saved?.forget();
          await this.#exec(fields, false);
        }
        shell.status = await this.#external(fields);
      }
    } catch (error) {
      if (!(error instanceof RedirectionError)) throw error;
      await shell.complain(error.message);
      const code = shell.dialect === 'dash' ? 2 : 1;
      shell.status = code;
      if (isSpecial && shell.dialect !== 'bash') throw new ExitShell(code);
    } finally {
      for (const each of undo.reverse()) each();
      saved?.restore();
    }
  }

  /** `command NAME`: a builtin or a program, but not a function. Errors of a special builtin do not end the shell. */
  async runWithoutFunctions(argv: readonly string[]): Promise<number> {
    const [name = ''] = argv;
    const builtin = BUILTINS.get(name);
    if (name === 'exec' && argv.length > 1) return this.#exec(argv.slice(1));
    return builtin ? this.#builtin(builtin, name, argv.slice(1)) : this.#external(argv);
  }

  async #trace(command: SimpleCommand, fields: readonly string[]): Promise<void> {
    const names = command.assignments.map(
      ({ name }) => `${name}=${this.#executor.shell.variables.get(name) ?? ''}`,
    );
    const text = [...names, ...fields].map((each) =>
      /^[\w@%+=:,./-]+$/.test(each) ? each : `'${each.replaceAll("'", `'"'"'`)}'`,
    );
    await this.#executor.shell.warn(`+ ${text.join(' ')}\n`);
  }

  #builtin(builtin: Builtin, name: string, args: readonly string[]): number | Promise<number> {
    const result = builtin(this.#executor, args);
    return typeof result === 'number' ? result : this.#failing(result, name);
  }

  async #failing(result: Promise<number>, name: string): Promise<number> {
    try {
      return await result;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const what =
        error.code === 'EPIPE' || error.code === 'ENOSPC' || error.code === 'EBADF'
          ? 'I/O error'
          : error.text;
      await this.#executor.shell.complain(`${name}: ${what}`);
      return 1;
    }
  }

  /** Calls a function; assignments before the call last until its end. */
  async #callFunction(body: Command, args: readonly string[], tested: boolean): Promise<void> {
    const { shell } = this.#executor;
    const { positional, loopDepth } = shell;
    shell.positional = args;
    shell.loopDepth = 0;
    shell.variables.enterFunction();
    try {
      await this.#executor.command(body, { tested, last: false });
    } catch (error) {
      if (!(error instanceof ReturnFrom)) throw error;
      shell.status = error.code;
    } finally {
      shell.variables.leaveFunction();
      shell.positional = positional;
      shell.loopDepth = loopDepth;
    }
  }

  /** `exec PROGRAM`: replaces the process with the program, or ends the shell. */
  async #exec(argv: readonly string[], isExec = true): Promise<never> {
    throw new ExitShell(await this.#become(argv, isExec));
  }

  async #become(argv: readonly string[], isExec: boolean): Promise<number> {
    const { shell } = this.#executor;
    const [name = ''] = argv;
    try {
      const path = await searchPath(shell.process, name, shell.variables.get('PATH') ?? '');
      const environment = shell.environment;
      const code = await this.#executeFile(path, argv, environment);
      throw new Replaced(code);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return this.#cannotRun(isExec && shell.dialect === 'dash' ? `exec: ${name}` : name, error);
    }
  }

  /** A file without `#!` that is not a program is run as a script. */
  async #executeFile(
    path: string,
    argv: readonly string[],
    environment: ReadonlyMap<string, string>,
  ): Promise<number> {
    const { process } = this.#executor.shell;
    try {
      return await executeFile(process, path, argv, environment);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ENOEXEC') throw error;
      return executeFile(process, '/bin/sh', ['sh', path, ...argv.slice(1)], environment);
    }
  }

  async #cannotRun(name: string, error: FileError): Promise<number> {
    const { shell } = this.#executor;
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    const command = shell.dialect === 'bash' && !name.includes('/') ? 'command not found' : error.text;
    await shell.complain(
      `${name}: ${missing ? (shell.dialect === 'bash' ? command : 'not found') : error.text}`,
    );
    return missing ? 127 : 126;
  }

  async #external(argv: readonly string[]): Promise<number> {
    const { shell } = this.#executor;
    const [name = ''] = argv;
    let path: string;
    try {
      path = await searchPath(shell.process, name, shell.variables.get('PATH') ?? '');
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return this.#cannotRun(name, error);
    }
    const child = shell.fork(async (inner) => {
      try {
        return await new Executor(inner).simple.#executeFile(path, argv, inner.environment);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        return new Executor(inner).simple.#cannotRun(name, error);
      }
    });
    const [code = 255] = await shell.jobs.foreground([child]);
    return code;
  }

  assign(name: string, value: string): void {
    const flags = this.#executor.shell.options.a ? { exported: true } : {};
    if (!this.#executor.shell.variables.set(name, value, flags))
      throw new ShellError(`${name}: is read only`);
  }
}

const quick = new WeakMap<Command, boolean>();

/** Whether it is an assignment or a test, without redirections and command substitutions. */
export function isQuick(command: Command): command is SimpleCommand {
  if (command.type !== 'simple') return false;
  const known = quick.get(command);
  if (known !== undefined) return known;
  const [name] = command.words;
  const [first] = name?.parts ?? [];
  const isTest = first?.type === 'text' && (first.text === '[' || first.text === 'test');
  const result =
    command.redirections.length === 0 &&
    (name === undefined ? command.assignments.length > 0 : isTest && command.assignments.length === 0) &&
    ![...command.words, ...command.assignments.map(({ value }) => value)].some(hasSubstitution);
  quick.set(command, result);
  return result;
}

function hasSubstitution({ parts }: Word): boolean {
  return parts.some(
    (part) =>
      part.type === 'command' ||
      (part.type === 'arithmetic' && hasSubstitution(part.expression)) ||
      (part.type === 'parameter' && part.word !== undefined && hasSubstitution(part.word)),
  );
}
