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
        const text = bytes.length - this.#partialMarkerLength(bytes);
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

  /** How many bytes at the end of `bytes` may be the beginning of the marker. */
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

/**
 * The output of a command between the inner words `began` and `ended`. The inner word can be read in the container, so it
 * determines only what is reported: whether the command started, and whether its wrapper has ended.
 */
export class CommandOutput {
  readonly #reader: FrameReader;
  readonly #onData: (bytes: Buffer) => void;
  #before: Buffer = Buffer.alloc(0);
  #began = false;
  #ended = false;

  /** @param onData receives the output of the command, in order */
  constructor(innerWord: string, onData: (bytes: Buffer) => void) {
    this.#reader = new FrameReader(innerWord, ['began', 'ended']);
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
    this.#take(this.#reader.push(chunk));
  }

  end(): void {
    this.#take(this.#reader.end());
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.kind === 'frame' && frame.word === 'began') this.#began = true;
      else if (frame.kind === 'frame') this.#ended = true;
      else if (this.#began) this.#onData(frame.bytes);
      else if (this.#before.length < LONGEST_LINE)
        this.#before = Buffer.concat([this.#before, frame.bytes]).subarray(0, LONGEST_LINE);
    }
  }
}
