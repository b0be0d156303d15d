import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Program, ProgramEnd } from './machine.ts';

/** A child process as a running script. */
export class SpawnedProgram implements Program {
  readonly exited: Promise<ProgramEnd>;
  readonly closed: Promise<ProgramEnd>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  #stdout: Buffer = Buffer.alloc(0);
  #stderr: Buffer = Buffer.alloc(0);
  #hasClosed = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.exited = new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', reject);
    });
    this.closed = new Promise((resolve, reject) => {
      child.once('close', (code, signal) => {
        this.#hasClosed = true;
        this.#notify();
        resolve({ code, signal });
      });
      child.once('error', reject);
    });
    // A case that waits for neither still fails: by what is missing from the output.
    this.exited.catch(() => {});
    this.closed.catch(() => {});
    child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout = Buffer.concat([this.#stdout, chunk]);
      this.#notify();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]);
      this.#notify();
    });
    // EPIPE: the script may end before it has read everything.
    child.stdin.on('error', () => {});
  }

  get stdout(): Buffer {
    return this.#stdout;
  }

  get stderr(): Buffer {
    return this.#stderr;
  }

  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!test() && !this.#hasClosed) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  send(data: string | Buffer): void {
    this.#child.stdin.write(data);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  #notify(): void {
    for (const look of [...this.#waiting]) look();
  }
}
