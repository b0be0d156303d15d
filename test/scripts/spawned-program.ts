import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Program, ProgramEnd } from './machine.ts';
import { ProgramOutput } from './output.ts';

/** A child process as a running script. */
export class SpawnedProgram implements Program {
  readonly exited: Promise<ProgramEnd>;
  readonly closed: Promise<ProgramEnd>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output = new ProgramOutput();

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.exited = new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', reject);
    });
    this.closed = new Promise((resolve, reject) => {
      child.once('close', (code, signal) => {
        this.#output.end();
        resolve({ code, signal });
      });
      child.once('error', reject);
    });
    // A case that waits for neither still fails, because output is missing.
    this.exited.catch(() => {});
    this.closed.catch(() => {});
    child.stdout.on('data', (chunk: Buffer) => this.#output.append('stdout', chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#output.append('stderr', chunk));
    // EPIPE: the script may end before it has read everything.
    child.stdin.on('error', () => {});
  }

  get stdout(): Buffer {
    return this.#output.stdout;
  }

  get stderr(): Buffer {
    return this.#output.stderr;
  }

  until(test: () => boolean): Promise<void> {
    return this.#output.until(test);
  }

  send(data: string | Buffer): void {
    this.#child.stdin.write(data);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  terminate(): void {
    // It is detached, so its PID is that of its group.
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGTERM');
  }
}
