import type { Program } from './machine.ts';

/** What a program has written to its streams so far, and the callers that wait for more. */
export class ProgramOutput implements Pick<Program, 'stdout' | 'stderr' | 'until'> {
  readonly #stdout = new GrowingBuffer();
  readonly #stderr = new GrowingBuffer();
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  get stdout(): Buffer {
    return this.#stdout.bytes;
  }

  get stderr(): Buffer {
    return this.#stderr.bytes;
  }

  append(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    (stream === 'stdout' ? this.#stdout : this.#stderr).append(chunk);
    this.#notify();
  }

  /** Both streams have ended. */
  end(): void {
    this.#hasEnded = true;
    this.#notify();
  }

  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!test() && !this.#hasEnded) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
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
