import type { ExitStatus, Process } from '../kernel/process.ts';
import { signalNumber } from '../kernel/signals.ts';
import type { Shell } from './posix-shell.ts';

const DEATHS: Readonly<Record<string, string>> = {
  HUP: 'Hangup',
  QUIT: 'Quit',
  KILL: 'Killed',
  USR1: 'User defined signal 1',
  USR2: 'User defined signal 2',
  ALRM: 'Alarm clock',
  TERM: 'Terminated',
  XFSZ: 'File size limit exceeded',
};

/** The processes that one shell has started. */
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

  /** Waits for the processes of a foreground pipeline. @returns their exit codes */
  async foreground(processes: readonly Process[]): Promise<number[]> {
    const statuses: (ExitStatus | undefined)[] = [];
    for (const each of processes) statuses.push(await this.#shell.process.waitFor(each));
    await this.#tellDeath(statuses.at(-1), processes.at(-1));
    return statuses.map((status) => status?.code ?? 255);
  }

  /** Shells print the signal that has ended a foreground process. */
  async #tellDeath(status: ExitStatus | undefined, process: Process | undefined): Promise<void> {
    const text = status?.signal === undefined ? undefined : DEATHS[status.signal];
    if (text === undefined || !process) return;
    const { dialect } = this.#shell;
    if (dialect === 'dash') await this.#shell.warn(`${text}\n`);
    if (dialect === 'bash')
      await this.#shell.complain(
        `${String(process.pid).padStart(5)} ${text.padEnd(23)} ${process.argv.join(' ')}`,
      );
  }

  /** `wait`. @returns the exit code of the last named process, 0 for all, 128 + n if a trapped signal arrives first */
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
      await this.#tellDeath(status, each);
      if (pids.length > 0) code = each.pid === pids.at(-1) ? status.code : 127;
    }
    if (pids.length === 0) this.#background = [];
    return code;
  }
}
