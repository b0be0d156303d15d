import type { ExitStatus, Process } from '../kernel/process.ts';
import { signalNumber } from '../kernel/signals.ts';
import type { Shell } from './shell.ts';

const DEATHS: Readonly<Record<string, string>> = {
  HUP: 'Hangup',
  QUIT: 'Quit',
  KILL: 'Killed',
  USR1: 'User defined signal 1',
  USR2: 'User defined signal 2',
  ALRM: 'Alarm clock',
  TERM: 'Terminated',
};

/** What one shell has started. */
export class Jobs {
  readonly #shell: Shell;
  #background: Process[] = [];
  /** `$!` */
  last: number | undefined;

  constructor(shell: Shell, last: number | undefined) {
    this.#shell = shell;
    this.last = last;
  }

  add(process: Process): void {
    this.#background.push(process);
    this.last = process.pid;
  }

  get running(): readonly Process[] {
    return this.#background.filter(({ alive }) => alive);
  }

  /** Waits for the processes of a pipeline in the foreground. @returns their exit codes */
  async foreground(processes: readonly Process[]): Promise<number[]> {
    const statuses: (ExitStatus | undefined)[] = [];
    for (const each of processes) statuses.push(await this.#shell.process.waitFor(each));
    const last = statuses.at(-1);
    const text = last?.signal === undefined ? undefined : DEATHS[last.signal];
    const pid = processes.at(-1)?.pid;
    if (text !== undefined && this.#shell.dialect === 'dash') await this.#shell.warn(`${text}\n`);
    if (text !== undefined && this.#shell.dialect === 'bash')
      await this.#shell.complain(
        `${String(pid).padStart(5)} ${text.padEnd(23)} ${processes.at(-1)?.argv.join(' ') ?? ''}`,
      );
    return statuses.map((status) => status?.code ?? 255);
  }

  /** `wait`. @returns the code of the last one named, 0 for all, 128 + n when a signal with a trap came first */
  async wait(pids: readonly number[]): Promise<number> {
    const chosen =
      pids.length === 0 ? this.#background : this.#background.filter(({ pid }) => pids.includes(pid));
    let code = pids.length === 0 ? 0 : 127;
    for (const each of chosen) {
      const status = await this.#shell.process.waitFor(each, true);
      if (!status) {
        const signal = this.#shell.traps.due;
        return signal === undefined ? 0 : 128 + signalNumber(signal);
      }
      if (pids.length > 0) code = each.pid === pids.at(-1) ? status.code : 127;
      this.#background = this.#background.filter((other) => other !== each);
    }
    return code;
  }
}
