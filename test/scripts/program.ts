import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Program, ProgramEnd } from './machine.ts';

/** A child process as a running script. */
export class SpawnedProgram implements Program {
  readonly exited: Promise<ProgramEnd>;
  readonly closed: Promise<ProgramEnd>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  readonly #stdout = new GrowingBuffer();
  readonly #stderr = new GrowingBuffer();
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
      this.#stdout.append(chunk);
      this.#notify();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr.append(chunk);
      this.#notify();
    });
    // EPIPE: the script may end before it has read everything.
    child.stdin.on('error', () => {});
  }

  get stdout(): Buffer {
    return this.#stdout.bytes;
  }

  get stderr(): Buffer {
    return this.#stderr.bytes;
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

  terminate(): void {
    // It is detached, and so its PID is that of its group.
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGTERM');
  }

  #notify(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Doubles its memory when it is full: concatenating 17 MiB chunk by chunk would take seconds. */
class GrowingBuffer {
  #memory = Buffer.alloc(4096);
  #length = 0;

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  append(chunk: Buffer): void {
    while (this.#length + chunk.length > this.#memory.length) {
      this.#memory = Buffer.concat([this.#memory], this.#memory.length * 2);
    }
    this.#length += chunk.copy(this.#memory, this.#length);
  }
}
