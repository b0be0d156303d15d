import type { AppError } from '../../lib/errors.ts';
import { boundedInteger, type Frame, FrameReader, ProtocolViolation } from '../../remote/protocol.ts';
import type { RemoteCall } from '../../remote/remote-call.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import { protocolBroken, remoteFailure } from './transfer-errors.ts';

/** PATH_MAX of Linux. */
const LONGEST_PATH = 4_096;
const WORDS = ['began', 'ready', 'data', 'done', 'validated', 'published', 'kept', 'failed', 'progress'];

/** A copy, which reports progress. */
export interface CopyProgress {
  /** Bytes to copy. */
  readonly size: number;
  readonly onProgress: (bytes: number) => void;
}

/**
 * What a transfer script reports on stdout: frames, and bytes that it announces. The script runs in the container, so its output
 * is untrusted: numbers are limited, and more bytes than announced are a violation.
 */
export abstract class ReportReader {
  readonly #call: RemoteCall;
  readonly #target: AttachTarget;
  readonly #maxFileSize: number;
  readonly #copy: CopyProgress | undefined;
  readonly #frames: FrameReader;
  readonly #chunks: AsyncIterator<Buffer>;
  #violated = false;
  /** The bytes of the last report of progress. */
  #progress = 0;

  protected constructor(
    call: RemoteCall,
    target: AttachTarget,
    { maxFileSize, copy }: { readonly maxFileSize: number; readonly copy: CopyProgress | undefined },
  ) {
    this.#call = call;
    this.#target = target;
    this.#maxFileSize = maxFileSize;
    this.#copy = copy;
    this.#frames = new FrameReader(call.run.innerWord, WORDS);
    this.#chunks = call.stdout[Symbol.asyncIterator]();
  }

  /** Waits for `work`, unless the session ends before. */
  abstract guard<T>(work: Promise<T>): Promise<T>;
  /** Is called for each frame. */
  abstract touch(): void;
  /** Why the output ended. */
  protected abstract ended(mute?: AppError): Promise<Error>;

  /** Whether the remote side has violated the protocol, so that it cannot be expected to end by itself. */
  protected get isViolated(): boolean {
    return this.#violated;
  }

  /**
   * The fields of the next frame, which must be `word`.
   * @param mute the error if the script ends without any output
   * @throws AppError that the script reported, or if the connection was lost; CommandNotStarted
   */
  async expect(word: string, mute?: AppError): Promise<readonly string[]> {
    // A loop, because a container may report progress without an end.
    for (;;) {
      const frame = await this.guard(this.#next());
      if (frame === null) throw await this.ended(mute);
      if (frame.kind !== 'frame') throw this.violation('it sent more bytes than it announced');
      if (frame.word === 'progress' && this.#copy !== undefined) {
        const bytes = this.number(frame.fields[0], this.#copy.size);
        if (bytes <= this.#progress) throw this.violation('it reported progress without any');
        this.#progress = bytes;
        this.touch();
        this.#copy.onProgress(bytes);
        continue;
      }
      this.touch();
      if (frame.word === word) return frame.fields;
      if (frame.word !== 'failed') throw this.violation(`${frame.word} came in place of ${word}`);
      throw this.reportedFailure(frame.fields);
    }
  }

  /** The path that the remote side has resolved. */
  async path(): Promise<string> {
    const parts: Buffer[] = [];
    const { announced, received } = await this.data(LONGEST_PATH, (chunk) => {
      parts.push(chunk);
    });
    if (received < announced) throw await this.ended();
    return Buffer.concat(parts).toString('utf8');
  }

  /**
   * Passes on the bytes of the next `data` frame, chunk by chunk.
   * @param limit the maximum number of bytes that it may announce
   */
  async data(
    limit: number,
    onChunk: (chunk: Buffer) => void | Promise<void>,
  ): Promise<{ readonly announced: number; readonly received: number }> {
    this.#frames.allowData(limit);
    const [length] = await this.expect('data');
    const announced = this.number(length, limit);
    let received = 0;
    while (received < announced) {
      const frame = await this.guard(this.#next());
      if (frame === null) break;
      if (frame.kind !== 'data') throw this.violation('it sent other output instead of data');
      received += frame.bytes.length;
      await this.guard(Promise.resolve(onChunk(frame.bytes)));
    }
    return { announced, received };
  }

  /**
   * The next bytes of a script that writes nothing else to stdout; null at their end. They are not guarded, because that would
   * need memory for each chunk: the caller guards the whole.
   */
  async read(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? null : value;
    } catch {
      return null; // "premature close": the connection was lost, which the channel reports, too
    }
  }

  /** An integer that the remote side sent. @throws AppError TRANSFER_FAILED unless it is one, and at most `max` */
  number(text: string | undefined, max: number): number {
    try {
      return boundedInteger(text, max);
    } catch (error) {
      throw this.violation(reasonOf(error));
    }
  }

  /** @throws AppError TRANSFER_FAILED if the remote side announces two different numbers */
  same(one: number, other: number): void {
    if (one !== other) throw this.violation(`it announced ${other} bytes, then ${one}`);
  }

  /** Text that the remote side sent. @throws AppError TRANSFER_FAILED unless it has the expected form */
  matching(text: string | undefined, pattern: RegExp, what: string): string {
    if (text !== undefined && pattern.test(text)) return text;
    throw this.violation(`${JSON.stringify((text ?? '').slice(0, 40))} is not ${what}`);
  }

  /** The error for a side that does not keep to the protocol. */
  violation(why: string): AppError {
    this.#violated = true;
    return protocolBroken(why, this.#target);
  }

  /** The error of a `failed` frame. */
  protected reportedFailure([code = '', ...text]: readonly string[]): AppError {
    return remoteFailure(code, text.join(' '), this.#target, this.#maxFileSize);
  }

  async #next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frame();
      if (frame === undefined) {
        const chunk = await this.read();
        if (chunk === null) return null;
        this.#frames.feed(chunk);
      } else if (frame.kind === 'frame' && frame.word === 'began') this.#call.began();
      // Output before the first frame of the script is ignored.
      else if (frame.kind !== 'text' || this.#call.hasBegun) return frame;
    }
  }

  #frame(): Frame | undefined {
    try {
      return this.#frames.next();
    } catch (error) {
      throw this.violation(reasonOf(error));
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ProtocolViolation) return error.message;
  throw error;
}
