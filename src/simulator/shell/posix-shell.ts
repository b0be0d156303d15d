import { FileError } from '../files/inode.ts';
import { fork } from '../kernel/execute-file.ts';
import type { FdTable } from '../kernel/open-file.ts';
import { parentOf } from '../kernel/proc-directory.ts';
import type { Process } from '../kernel/process.ts';
import type { Signal } from '../kernel/signals.ts';
import { SystemCalls } from '../kernel/system-calls.ts';
import { Jobs } from './shell-jobs.ts';
import { Variables } from './shell-variables.ts';
import type { Command } from './syntax-tree.ts';
import { Traps } from './traps.ts';

/** The version that bash reports. */
export const BASH_VERSION = '5.2.37(1)-release';

/** Determines messages, echo and exit codes. The language is POSIX for all of them. */
export type Dialect = 'dash' | 'bash' | 'ash';

/** Options by their letters: `set -eux`. */
export interface Options {
  a: boolean;
  C: boolean;
  e: boolean;
  f: boolean;
  n: boolean;
  u: boolean;
  x: boolean;
  pipefail: boolean;
}

/** The state of one shell, in one process. */
export class Shell {
  readonly process: Process;
  readonly sys: SystemCalls;
  readonly dialect: Dialect;
  readonly variables: Variables;
  readonly functions: Map<string, Command>;
  readonly options: Options;
  readonly jobs: Jobs;
  readonly traps: Traps;
  positional: readonly string[];
  arg0: string;
  /** Exit code of the last command. */
  status = 0;
  /** The line of the running command. */
  line = 1;
  loopDepth = 0;
  /** `$$`: subshells keep it. */
  readonly pid: number;
  /** The position of getopts within a group of letters. */
  optionAt = 0;
  readonly isSubshell: boolean;

  constructor(
    process: Process,
    start: { dialect: Dialect; arg0: string; positional: readonly string[] } | Shell,
  ) {
    this.process = process;
    this.sys = new SystemCalls(process);
    this.dialect = start.dialect;
    this.arg0 = start.arg0;
    this.positional = start.positional;
    this.isSubshell = start instanceof Shell;
    if (start instanceof Shell) {
      this.variables = start.variables.clone();
      this.functions = new Map(start.functions);
      this.options = { ...start.options };
      this.jobs = new Jobs(this, start.jobs.last);
      this.traps = new Traps(process, start.traps);
      this.status = start.status;
      this.line = start.line;
      this.loopDepth = start.loopDepth;
      this.pid = start.pid;
    } else {
      this.variables = new Variables(process.env);
      this.functions = new Map();
      this.options = {
        a: false,
        C: false,
        e: false,
        f: false,
        n: false,
        u: false,
        x: false,
        pipefail: false,
      };
      this.jobs = new Jobs(this, undefined);
      this.traps = new Traps(process, undefined);
      this.pid = process.pid;
      this.variables.set('IFS', ' \t\n', { exported: false });
      if (start.dialect === 'bash') this.variables.set('BASH_VERSION', BASH_VERSION, { exported: false });
      this.variables.set('OPTIND', '1');
      this.variables.set('PPID', String(parentOf(process)));
      this.variables.set('PWD', process.cwd);
      if (this.variables.get('PATH') === undefined)
        this.variables.set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    }
  }

  /** Starts a subshell with a copy of the state. */
  fork(work: (shell: Shell) => Promise<number>, fds?: FdTable): Process {
    return fork(this.process, (child) => work(new Shell(child, this)), fds === undefined ? {} : { fds });
  }

  /** The value of a variable or special parameter; undefined if it is not set. */
  parameter(name: string): string | undefined {
    if (/^\d+$/.test(name)) return name === '0' ? this.arg0 : this.positional[Number(name) - 1];
    switch (name) {
      case '#':
        return String(this.positional.length);
      case '?':
        return String(this.status);
      case '$':
        return String(this.pid);
      case '!':
        return this.jobs.last === undefined ? undefined : String(this.jobs.last);
      case '-':
        return Object.entries(this.options)
          .flatMap(([letter, on]) => (on && letter.length === 1 ? letter : []))
          .join('');
      case '@':
      case '*':
        return this.positional.join(' ');
      case 'LINENO':
        return String(this.line);
      default:
        return this.variables.get(name);
    }
  }

  /** Prints a message in the form of this shell. */
  async complain(message: string): Promise<void> {
    const where =
      this.dialect === 'dash'
        ? `${this.arg0}: ${this.line}: `
        : this.dialect === 'bash'
          ? `${this.arg0}: line ${this.line}: `
          : `${this.arg0}: `;
    await this.warn(`${where}${message}\n`);
  }

  /** Writes a byte string to stderr; an error is ignored. */
  async warn(bytes: string): Promise<void> {
    const file = this.process.fds.find(2);
    if (!file) return;
    try {
      await file.write(this.process, Buffer.from(bytes, 'latin1'));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  /** The environment of started programs. */
  get environment(): ReadonlyMap<string, string> {
    return this.variables.environment;
  }

  takeSignal(): Signal | undefined {
    return this.traps.take();
  }
}
