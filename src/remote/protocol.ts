/** A part of the output of a script, in order. */
export type Frame =
  /** Output that is not a frame: of a command, of a login shell, or of a program that violates the protocol. */
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'frame'; readonly word: string; readonly fields: readonly string[] }
  /** A part of the raw bytes that a `data LENGTH` line announced; `left` is the number of bytes that follow. */
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly left: number };

const EMPTY: Buffer = Buffer.alloc(0);
/** Maximum length of a frame line. A longer line is not a frame, which limits memory regardless of the output. */
const LONGEST_LINE = 8_192;

/** The remote side violated the protocol: an invalid number, or more bytes than allowed. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

/**
 * Parses a decimal integer from 0 to `max` that the remote side sent.
 * @throws ProtocolViolation for anything else
 */
export function boundedInteger(text: string | undefined, max: number): number {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) {
    throw new ProtocolViolation(`${JSON.stringify((text ?? '').slice(0, 40))} is not a number`);
  }
  const value = Number(text);
  if (value > max) throw new ProtocolViolation(`${text} is more than the allowed ${max}`);
  return value;
}

/**
 * Finds the frames in a stream of bytes. A frame is `KEY WORD FIELD…` and a newline. It begins a line or follows output
 * without a final newline, and may be split across chunks. `KEY data LENGTH` is followed by LENGTH raw bytes.
 */
export class FrameReader {
  readonly #marker: Buffer;
  readonly #words: ReadonlySet<string>;
  #bytes: Buffer = EMPTY;
  /** The buffered bytes, which may be the beginning of a frame. */
  #waitsForLine = false;
  #dataLeft = 0;
  #dataLimit = 0;

  /**
   * @param key the random word that begins each frame
   * @param words the valid words after the key; a line with another word is text
   */
  constructor(key: string, words: readonly string[]) {
    this.#marker = Buffer.from(`${key} `);
    this.#words = new Set(words);
  }

  /** Allows the next `data` frame, with at most `bytes`. Without this call, no `data` frame is allowed. */
  allowData(bytes: number): void {
    this.#dataLimit = bytes;
  }

  /** Adds the next chunk. */
  feed(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#waitsForLine = false;
  }

  /** The next frame; undefined until more is fed. @throws ProtocolViolation for a `data` frame that is not allowed */
  next(): Frame | undefined {
    for (;;) {
      const bytes = this.#bytes;
      if (bytes.length === 0 || this.#waitsForLine) return undefined;
      if (this.#dataLeft > 0) {
        const part = this.#take(Math.min(bytes.length, this.#dataLeft));
        this.#dataLeft -= part.length;
        return { kind: 'data', bytes: part, left: this.#dataLeft };
      }
      const at = bytes.indexOf(this.#marker);
      if (at > 0) return { kind: 'text', bytes: this.#take(at) };
      if (at < 0) {
        const text = bytes.length - partialLength(bytes, this.#marker);
        this.#waitsForLine = text < bytes.length;
        if (text > 0) return { kind: 'text', bytes: this.#take(text) };
        return undefined;
      }
      const end = bytes.indexOf(0x0a);
      if (end < 0 && bytes.length <= LONGEST_LINE) {
        // Copied, so that the rest of a large chunk is not kept in memory.
        this.#bytes = Buffer.from(bytes);
        this.#waitsForLine = true;
        return undefined;
      }
      const frame = end < 0 || end > LONGEST_LINE ? undefined : this.#parse(bytes.subarray(0, end));
      if (frame === undefined) return { kind: 'text', bytes: this.#take(this.#marker.length) };
      this.#take(end + 1);
      return frame;
    }
  }

  /** Adds a chunk and returns all complete frames. */
  push(chunk: Buffer): Frame[] {
    this.feed(chunk);
    const frames: Frame[] = [];
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame);
    return frames;
  }

  /** Ends the stream: buffered bytes are not a frame. */
  end(): Frame[] {
    const bytes = this.#take(this.#bytes.length);
    return bytes.length === 0 ? [] : [{ kind: 'text', bytes }];
  }

  #take(count: number): Buffer {
    const part = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return part;
  }

  #parse(line: Buffer): Frame | undefined {
    const [word = '', ...fields] = line.toString('utf8', this.#marker.length).split(' ');
    if (!this.#words.has(word)) return undefined;
    if (word === 'data') {
      this.#dataLeft = boundedInteger(fields[0], this.#dataLimit);
      this.#dataLimit = 0;
    }
    return { kind: 'frame', word, fields };
  }
}

/**
 * The output of a command between the inner words `began` and `ended`. The inner word can be read in the container, so it
 * determines only what is reported: whether the command started, and whether its wrapper has ended. A line that contains
 * anything else is output, because another process may print the word before a line of the command.
 */
export class CommandOutput {
  readonly #beganLine: Buffer;
  readonly #endedLine: Buffer;
  readonly #onData: (bytes: Buffer) => void;
  /** Bytes that may be the beginning of a line of the wrapper. */
  #held: Buffer = EMPTY;
  #before: Buffer = EMPTY;
  #began = false;
  #ended = false;

  /** @param onData receives the output of the command, in order */
  constructor(innerWord: string, onData: (bytes: Buffer) => void) {
    this.#beganLine = Buffer.from(`${innerWord} began\n`);
    this.#endedLine = Buffer.from(`${innerWord} ended\n`);
    this.#onData = onData;
  }

  get began(): boolean {
    return this.#began;
  }

  /** Whether the wrapper has reported the end of the command. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The output before the command, for example of lxc-attach; truncated if long. */
  get before(): string {
    return this.#before.toString('utf8');
  }

  push(chunk: Buffer): void {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const line = this.#began ? this.#endedLine : this.#beganLine;
      const at = bytes.indexOf(line);
      if (at < 0) {
        const text = bytes.length - partialLength(bytes, line);
        this.#text(bytes.subarray(0, text));
        // Copied, so that the rest of a large chunk is not kept in memory.
        this.#held = Buffer.from(bytes.subarray(text));
        return;
      }
      this.#text(bytes.subarray(0, at));
      if (this.#began) this.#ended = true;
      else this.#began = true;
      bytes = bytes.subarray(at + line.length);
    }
  }

  end(): void {
    const held = this.#held;
    this.#held = EMPTY;
    this.#text(held);
  }

  #text(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#began) this.#onData(bytes);
    else if (this.#before.length < LONGEST_LINE)
      this.#before = Buffer.concat([this.#before, bytes]).subarray(0, LONGEST_LINE);
  }
}

/** How many bytes at the end of `bytes` may be the beginning of `line`. */
function partialLength(bytes: Buffer, line: Buffer): number {
  const first = line[0];
  for (let n = Math.min(line.length - 1, bytes.length); n > 0; n--) {
    const start = bytes.length - n;
    if (bytes[start] === first && bytes.compare(line, 0, n, start) === 0) return n;
  }
  return 0;
}
