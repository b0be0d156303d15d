/**
 * Cuts a stream of bytes at the trailer that the wrapper writes ("NONCE exit CODE\n", see exec.sh), and
 * finds the start line before the command's first byte. Works chunk by chunk; holds back no more than a
 * trailer's length.
 */
export class TrailerScanner {
  readonly #marker: Buffer;
  readonly #onData: (bytes: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);
  #exitCode: number | undefined;

  /** `onData` gets what the command wrote, in order, without the trailer and without anything after it. */
  constructor(nonce: string, onData: (bytes: Buffer) => void) {
    this.#marker = Buffer.from(`${nonce} exit `);
    this.#onData = onData;
  }

  /** The command's exit code once the trailer is in. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  push(chunk: Buffer): void {
    if (this.#exitCode !== undefined) return; // what comes now is from processes left in the background
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = bytes.indexOf(this.#marker);
    if (at >= 0) {
      const end = bytes.indexOf(0x0a, at + this.#marker.length);
      if (end >= 0) {
        this.#exitCode = Number(bytes.toString('latin1', at + this.#marker.length, end));
        this.#release(bytes.subarray(0, at));
        this.#held = Buffer.alloc(0);
        return;
      }
      this.#release(bytes.subarray(0, at));
      this.#held = Buffer.from(bytes.subarray(at));
      return;
    }
    const keep = this.#partialMarkerLength(bytes);
    this.#release(bytes.subarray(0, bytes.length - keep));
    this.#held = keep === 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(bytes.length - keep));
  }

  /** The stream is over: what was held back was output after all. */
  end(): void {
    this.#release(this.#held);
    this.#held = Buffer.alloc(0);
  }

  #release(bytes: Buffer): void {
    if (bytes.length > 0) this.#onData(bytes);
  }

  /** How many bytes at the end of `bytes` may be the beginning of the trailer. */
  #partialMarkerLength(bytes: Buffer): number {
    const marker = this.#marker;
    const first = marker[0];
    for (let n = Math.min(marker.length - 1, bytes.length); n > 0; n--) {
      const start = bytes.length - n;
      if (bytes[start] === first && bytes.compare(marker, 0, n, start) === 0) return n;
    }
    return 0;
  }
}

/** What a login shell may print before it comes to our line: a greeting in root's .bashrc, which bash reads for sshd. */
export const MAX_GREETING = 64 * 1024;

/** Takes off a stream all up to the wrapper's start line, and tells when that has come. */
export class StartScanner {
  readonly #expected: Buffer;
  #seen: Buffer = Buffer.alloc(0);
  #state: 'waiting' | 'started' | 'other' = 'waiting';

  constructor(nonce: string) {
    this.#expected = Buffer.from(`${nonce} start\n`);
  }

  get started(): boolean {
    return this.#state === 'started';
  }

  /** Takes the next chunk, gives back what follows the start line (everything, if it does not come). */
  push(chunk: Buffer): Buffer {
    if (this.#state !== 'waiting') return chunk;
    this.#seen = this.#seen.length === 0 ? chunk : Buffer.concat([this.#seen, chunk]);
    const at = this.#seen.indexOf(this.#expected);
    if (at < 0) return this.#seen.length > MAX_GREETING ? this.end() : Buffer.alloc(0);
    this.#state = 'started';
    return this.#seen.subarray(at + this.#expected.length);
  }

  /** The stream is over: what was held back, if there was no start line. */
  end(): Buffer {
    if (this.#state !== 'waiting') return Buffer.alloc(0);
    this.#state = 'other';
    return this.#seen;
  }
}
