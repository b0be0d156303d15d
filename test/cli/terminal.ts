import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { quoteAll } from '../../src/lib/quote.ts';
import { serverCommand } from '../mcp/client.ts';
import { until } from '../rig/until.ts';
import type { CliOptions } from './run.ts';

/** Why no terminal can be created; null if one can. */
export const noTerminal = lackOf('script');

/** Keys as a terminal sends them. */
export const KEY = {
  enter: '\r',
  down: '\u001B[B',
  up: '\u001B[A',
  ctrlC: '\u0003',
  ctrlU: '\u0015',
} as const;

/** The program in a terminal that `script` of util-linux creates; `answer` types. */
export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  #raw = '';
  #seen = 0;

  /** @param program started instead of the server under test */
  constructor(args: readonly string[], options: CliOptions, program?: string) {
    const { PATH = '' } = process.env;
    const { command, args: all } = program === undefined ? serverCommand(args) : { command: program, args };
    // Such a terminal begins with zero columns.
    this.#child = spawn(
      'script',
      ['-qfec', `stty cols 130 rows 60; exec ${quoteAll([command, ...all])}`, '/dev/null'],
      {
        cwd: options.cwd,
        env: { PATH, HOME: options.cwd, TERM: 'xterm', NO_COLOR: '1', SHELL: '/bin/sh', ...options.env },
      },
    );
    this.#child.stdout.setEncoding('utf8').on('data', (data: string) => {
      this.#raw += data;
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code) => resolve(code));
    });
  }

  /** Everything shown so far, without cursor movements. */
  get text(): string {
    return stripVTControlCharacters(this.#raw);
  }

  /** Waits until `words` appear after the text that was waited for before, then presses keys. */
  async answer(words: string, keys: string): Promise<void> {
    await this.shows(words);
    this.#child.stdin.write(keys);
  }

  async shows(words: string): Promise<void> {
    try {
      await until(() => this.text.indexOf(words, this.#seen) >= 0);
    } catch {
      throw new Error(`"${words}" is not shown:\n${this.text.slice(this.#seen)}`);
    }
    this.#seen = this.text.indexOf(words, this.#seen) + words.length;
  }

  ended(): Promise<number | null> {
    return this.#ended;
  }
}

/** The reason to skip if a program is missing; otherwise null. */
export function lackOf(program: string): string | null {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return null;
  } catch {
    return `${program} is not installed`;
  }
}
