import type { Executor, Position } from './execute.ts';
import { matches } from './pattern.ts';
import { subshell } from './run-script.ts';
import { LeaveLoop } from './shell-errors.ts';
import type { Command, SimpleCommand } from './syntax-tree.ts';

/** Runs groups, subshells, conditions and loops. */
export class CompoundCommands {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async run(
    command: Exclude<Command, SimpleCommand | { type: 'function' }>,
    position: Position,
  ): Promise<void> {
    const { shell } = this.#executor;
    switch (command.type) {
      case 'group':
        await this.#executor.list(command.body, position);
        return;
      case 'subshell': {
        if (position.last && !shell.traps.any) {
          shell.status = await this.#executor.list(command.body, position);
          return;
        }
        const tested = position.tested;
        const [code = 0] = await shell.jobs.foreground([
          shell.fork((inner) => subshell(inner, command.body, tested)),
        ]);
        shell.status = code;
        return;
      }
      case 'if':
        for (const { condition, body } of command.clauses) {
          if ((await this.#executor.list(condition, { tested: true, last: false })) !== 0) continue;
          await this.#executor.list(body, position);
          return;
        }
        if (command.otherwise) await this.#executor.list(command.otherwise, position);
        else shell.status = 0;
        return;
      case 'case': {
        const word = this.#executor.expander.text(command.word);
        const subject = typeof word === 'string' ? word : await word;
        for (const { patterns, body } of command.items) {
          for (const each of patterns) {
            const pattern = this.#executor.expander.pattern(each);
            if (!matches(typeof pattern === 'string' ? pattern : await pattern, subject)) continue;
            if (body.length === 0) shell.status = 0;
            await this.#executor.list(body, position);
            return;
          }
        }
        shell.status = 0;
        return;
      }
      case 'for': {
        const values = command.words ? await this.#executor.expander.fields(command.words) : shell.positional;
        if (values.length === 0) shell.status = 0;
        await this.#loop(values.values(), async (value) => {
          this.#executor.simple.assign(command.name, value);
          await this.#executor.list(command.body, { tested: position.tested, last: false });
        });
        return;
      }
      default: {
        let status = 0;
        const left = await this.#loop(this.#forever(), async () => {
          const code = await this.#executor.list(command.condition, { tested: true, last: false });
          if ((code === 0) === command.until) return 'end';
          await this.#executor.list(command.body, { tested: position.tested, last: false });
          status = shell.status;
          return undefined;
        });
        if (left) status = shell.status;
        shell.status = status;
      }
    }
  }

  *#forever(): IterableIterator<string> {
    for (;;) yield '';
  }

  /** @returns whether it was left by `break` */
  async #loop(
    values: IterableIterator<string>,
    body: (value: string) => Promise<undefined | 'end' | undefined>,
  ): Promise<boolean> {
    const { shell } = this.#executor;
    shell.loopDepth += 1;
    try {
      for (const value of values) {
        try {
          if (shell.process.mustWait) await shell.process.ready();
          if ((await body(value)) === 'end') return false;
        } catch (error) {
          if (!(error instanceof LeaveLoop)) throw error;
          error.levels -= 1;
          if (error.levels > 0 && shell.loopDepth > 1) throw error;
          if (error.kind === 'break') return true;
        }
      }
      return false;
    } finally {
      shell.loopDepth -= 1;
    }
  }
}
