import { Device } from '../kernel/open-file.ts';
import { Pipe } from '../kernel/pipe.ts';
import type { Process } from '../kernel/process.ts';
import { readToEnd } from '../kernel/system-calls.ts';
import { CompoundCommands } from './compound-commands.ts';
import { Expander } from './expand.ts';
import type { Shell } from './posix-shell.ts';
import { redirect, type SavedDescriptors } from './redirect.ts';
import { runText, subshell } from './run-script.ts';
import { ExitShell, RedirectionError } from './shell-errors.ts';
import { isQuick, SimpleCommands } from './simple-command.ts';
import type { AndOr, Command, List, Pipeline } from './syntax-tree.ts';

/** The context in which a command runs. */
export interface Position {
  /** The exit code is tested, so `set -e` does not end the shell. */
  readonly tested: boolean;
  /** Nothing follows in this process, so it may be replaced by the program. */
  readonly last: boolean;
}

const ORDINARY: Position = { tested: false, last: false };

/** Executes commands in one shell. */
export class Executor {
  readonly shell: Shell;
  readonly expander: Expander;
  readonly simple: SimpleCommands;
  readonly #compounds = new CompoundCommands(this);
  /** The exit code of the last command substitution of a command. */
  substituted: number | undefined;

  constructor(shell: Shell) {
    this.shell = shell;
    this.simple = new SimpleCommands(this);
    this.expander = new Expander(shell, (body) => this.#substitute(body));
  }

  /** Runs commands in order. @returns the exit code of the last one */
  async list(list: List, position: Position = ORDINARY): Promise<number> {
    for (const [index, each] of list.entries()) {
      const last = position.last && index === list.length - 1;
      const { first } = each;
      const [only] = first.commands;
      // A shortcut for the common case, because an unnecessary await costs time.
      if (
        only &&
        first.commands.length === 1 &&
        each.rest.length === 0 &&
        !each.background &&
        !first.negated
      ) {
        const done = isQuick(only) ? this.simple.quick(only) : undefined;
        if (done === true) continue;
        if (done) await done;
        else await this.command(only, last === position.last ? position : { tested: position.tested, last });
      } else await this.#andOr(each, { tested: position.tested, last });
    }
    return this.shell.status;
  }

  /** Runs the traps of received signals. */
  async runTraps(): Promise<void> {
    for (let signal = this.shell.takeSignal(); signal !== undefined; signal = this.shell.takeSignal()) {
      const action = this.shell.traps.get(signal);
      if (action === undefined || action === '') continue;
      const { status } = this.shell;
      await this.evaluate(action);
      this.shell.status = status;
    }
  }

  /** Runs a text as `eval` does. */
  async evaluate(text: string): Promise<number> {
    return runText(this, text);
  }

  async #andOr(each: AndOr, position: Position): Promise<void> {
    if (each.background) {
      this.#background(each);
      return;
    }
    const stages = [{ operator: undefined, pipeline: each.first }, ...each.rest];
    for (const [index, { operator, pipeline }] of stages.entries()) {
      if (operator === '&&' && this.shell.status !== 0) continue;
      if (operator === '||' && this.shell.status === 0) continue;
      const final = index === stages.length - 1;
      await this.#pipeline(pipeline, {
        tested: position.tested || !final,
        last: position.last && final,
      });
    }
  }

  #background(each: AndOr): void {
    const { shell } = this;
    const fds = shell.process.fds.clone();
    fds.set(0, new Device('/dev/null'));
    const child = shell.fork(async (inner) => {
      for (const signal of ['INT', 'QUIT'] as const) inner.traps.set(signal, '');
      return subshell(inner, [{ ...each, background: false }]);
    }, fds);
    shell.jobs.add(child);
    shell.status = 0;
  }

  async #pipeline({ negated, commands }: Pipeline, position: Position): Promise<void> {
    const [only] = commands;
    const { shell } = this;
    if (commands.length === 1 && only) {
      await this.command(only, { tested: position.tested || negated, last: position.last && !negated });
    } else {
      const codes = await shell.jobs.foreground(this.#startPipeline(commands));
      shell.status = codes.at(-1) ?? 0;
      if (shell.options.pipefail) shell.status = codes.reduce((all, code) => (code !== 0 ? code : all), 0);
      await this.#afterwards(position.tested || negated);
    }
    if (negated) shell.status = shell.status === 0 ? 1 : 0;
  }

  #startPipeline(commands: readonly Command[]): Process[] {
    const { shell } = this;
    const processes: Process[] = [];
    let input: ReturnType<typeof Pipe.make>['reader'] | undefined;
    for (const [index, command] of commands.entries()) {
      const fds = shell.process.fds.clone();
      if (input) {
        fds.set(0, input);
        input.release();
      }
      input = undefined;
      if (index < commands.length - 1) {
        const { reader, writer } = Pipe.make();
        fds.set(1, writer);
        input = reader.retain();
      }
      const list = [{ first: { negated: false, commands: [command] }, rest: [], background: false }];
      processes.push(shell.fork((inner) => subshell(inner, list), fds));
    }
    return processes;
  }

  /** The output of commands, without the newlines at its end. */
  async #substitute(body: List): Promise<string> {
    const { shell } = this;
    if (body.length === 0) {
      this.substituted = 0;
      return '';
    }
    const { reader, writer } = Pipe.make();
    reader.retain();
    const fds = shell.process.fds.clone();
    fds.set(1, writer);
    const child = shell.fork((inner) => subshell(inner, body), fds);
    try {
      const output = await readToEnd(shell.process, reader);
      const status = await shell.process.waitFor(child);
      this.substituted = status?.code ?? 255;
      return output.toString('latin1').replaceAll('\0', '').replace(/\n+$/, '');
    } finally {
      reader.release();
    }
  }

  /** After a command: runs traps, and ends the shell under `set -e`. */
  async #afterwards(tested: boolean): Promise<void> {
    if (this.shell.traps.due !== undefined) await this.runTraps();
    if (this.shell.options.e && !tested && this.shell.status !== 0) throw new ExitShell(this.shell.status);
  }

  async command(command: Command, position: Position): Promise<void> {
    const { shell } = this;
    shell.line = command.line;
    if (shell.process.mustWait) await shell.process.ready();
    if (shell.traps.due !== undefined) await this.runTraps();
    if (command.type === 'simple') {
      await this.simple.run(command, position);
      if (shell.traps.due !== undefined || shell.options.e) await this.#afterwards(position.tested);
      return;
    }
    if (command.type === 'function') {
      shell.functions.set(command.name, command.body);
      shell.status = 0;
      return;
    }
    let saved: SavedDescriptors | undefined;
    try {
      if (command.redirections.length > 0) saved = await redirect(shell, this.expander, command.redirections);
      // Nothing follows: saved descriptors must not keep a pipe open.
      const last = position.last && !shell.traps.any;
      if (last) saved?.forget();
      await this.#compounds.run(command, { ...position, last });
    } catch (error) {
      if (!(error instanceof RedirectionError)) throw error;
      await shell.complain(error.message);
      shell.status = shell.dialect === 'dash' ? 2 : 1;
    } finally {
      saved?.restore();
    }
    if (command.type === 'subshell' || shell.status !== 0)
      await this.#afterwards(position.tested || command.type !== 'subshell');
  }
}
