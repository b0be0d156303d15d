import { AppError } from '../../lib/errors.ts';
import { PreconditionTimeout, RemoteCall } from '../../remote/call.ts';
import { type AttachTarget, shellArgv } from '../../remote/command-line.ts';
import { CommandNotStarted } from '../../remote/errors.ts';
import { frozen } from '../../remote/frozen.ts';
import { boundedInteger, type Frame, FrameReader, ProtocolViolation } from '../../remote/protocol.ts';
import { delay } from '../../remote/shell.ts';
import type { RunDeps } from '../exec/exec.ts';
import type { TransferDirs } from './transfer-dirs.ts';
import { protocolBroken, remoteFailure } from './transfer-errors.ts';

/** A transfer that moves nothing for this long is given up; a slow one is not. */
const IDLE_LIMIT_MS = 30_000;
/** Bytes that the slowest of nodes hashes in a millisecond: a busybox without the processor's own instructions. */
const SLOWEST_DIGEST = 20_000;
const STDERR_LIMIT = 8_192;
/** PATH_MAX of Linux. */
const LONGEST_PATH = 4_096;
const WORDS = ['began', 'ready', 'data', 'done', 'published', 'failed'];

export interface TransferDeps extends RunDeps {
  readonly dirs: TransferDirs;
  /** Bytes. */
  readonly maxFileSize: number;
}

/**
 * One exchange with a transfer script on the far side, ended in order or torn down and cleaned up after. What the script
 * says is the claim of its container: numbers are bounded, and more than was announced ends the transfer.
 */
export class TransferSession {
  readonly #deps: TransferDeps;
  readonly #target: AttachTarget;
  readonly #call: RemoteCall;
  readonly #reader: FrameReader;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #stop: Promise<never>;
  #fail: (error: AppError) => void = () => {};
  #idle: NodeJS.Timeout | undefined;
  #stderr = '';
  #broken = false;
  #over = false;

  private constructor(deps: TransferDeps, target: AttachTarget, call: RemoteCall) {
    this.#deps = deps;
    this.#target = target;
    this.#call = call;
    this.#reader = new FrameReader(call.run.innerWord, WORDS);
    this.#chunks = call.stdout[Symbol.asyncIterator]();
    this.#stop = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#stop.catch(() => {}); // it may come when nothing waits any more
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS);
    call.stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < STDERR_LIMIT) this.#stderr += chunk.toString('utf8');
    });
    void this.#watch();
  }

  /** Starts `script` at `target`; it gets the inner word as $1 and `args` after it. */
  static async open(
    deps: TransferDeps,
    target: AttachTarget,
    script: string,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<TransferSession> {
    const call = await RemoteCall.start(deps.shell, {
      target,
      argv: ({ innerWord }) => shellArgv(script, [innerWord, ...args]),
      precondition: deps.precondition,
      input: true,
      signal: AbortSignal.any([signal, deps.inFlight.ending]),
      hurried: () => deps.inFlight.ending.aborted,
    }).catch((error: unknown) => {
      throw error instanceof PreconditionTimeout ? error.error : error;
    });
    return new TransferSession(deps, target, call);
  }

  get stdin() {
    return this.#call.stdin;
  }

  /** The word with which the sender agrees to what was received. */
  get word(): string {
    return this.#call.run.innerWord;
  }

  /** Waits for `work`, but no longer than until the call is cancelled or nothing has moved for too long. */
  async guard<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stop]);
  }

  /** Tells that something moved. */
  touch(): void {
    this.#idle?.refresh();
  }

  /** All has moved, and the far side reads `bytes` once more for their hash, in silence. */
  digesting(bytes: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS + bytes / SLOWEST_DIGEST);
  }

  /**
   * The fields of the next frame, which must be `word`.
   * @param mute what it means when the script comes to its end without saying anything.
   * @throws AppError for what the script refused, or when the connection was lost; CommandNotStarted
   */
  async expect(word: string, mute?: AppError): Promise<readonly string[]> {
    const frame = await this.guard(this.#next());
    if (frame === null) throw await this.#ended(mute);
    if (frame.kind !== 'frame') throw this.#violation('it sent more than it had announced');
    this.touch();
    if (frame.word === word) return frame.fields;
    if (frame.word !== 'failed') throw this.#violation(`${frame.word} came in place of ${word}`);
    const [code = '', ...text] = frame.fields;
    throw remoteFailure(code, text.join(' '), this.#target, this.#deps.maxFileSize);
  }

  /** The path that the far side resolved. */
  async path(): Promise<string> {
    const parts: Buffer[] = [];
    const { announced, received } = await this.data(LONGEST_PATH, (chunk) => {
      parts.push(chunk);
    });
    if (received < announced) throw await this.#ended();
    return Buffer.concat(parts).toString('utf8');
  }

  /**
   * Hands on the bytes of the next `data` frame, chunk by chunk.
   * @param limit the most bytes that it may announce
   */
  async data(
    limit: number,
    onChunk: (chunk: Buffer) => void | Promise<void>,
  ): Promise<{ readonly announced: number; readonly received: number }> {
    this.#reader.allowData(limit);
    const [length] = await this.expect('data');
    const announced = this.number(length, limit);
    let received = 0;
    while (received < announced) {
      const frame = await this.guard(this.#next());
      if (frame === null) break;
      if (frame.kind !== 'data') throw this.#violation('it sent something else than data');
      received += frame.bytes.length;
      await this.guard(Promise.resolve(onChunk(frame.bytes)));
    }
    return { announced, received };
  }

  /** An integer that the far side sent. @throws AppError TRANSFER_FAILED unless it is one, and at most `max` */
  number(text: string | undefined, max: number): number {
    try {
      return boundedInteger(text, max);
    } catch (error) {
      throw this.#violation(reasonOf(error));
    }
  }

  /** @throws AppError TRANSFER_FAILED when the far side announces two different numbers */
  same(one: number, other: number): void {
    if (one !== other) throw this.#violation(`it announced ${other} bytes, then ${one}`);
  }

  /** Text that the far side sent. @throws AppError TRANSFER_FAILED unless it looks as it must */
  matching(text: string | undefined, pattern: RegExp, what: string): string {
    if (text !== undefined && pattern.test(text)) return text;
    throw this.#violation(`${JSON.stringify((text ?? '').slice(0, 40))} is not ${what}`);
  }

  async #next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frame();
      if (frame === undefined) {
        const chunk = await this.#chunk();
        if (chunk === null) return null;
        this.#reader.feed(chunk);
      } else if (frame.kind === 'frame' && frame.word === 'began') this.#call.began();
      // What precedes the script's first word is of no interest.
      else if (frame.kind !== 'text' || this.#call.hasBegun) return frame;
    }
  }

  #frame(): Frame | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      throw this.#violation(reasonOf(error));
    }
  }

  async #chunk(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? null : value;
    } catch {
      return null; // "premature close": the connection was lost, which shows in the channel's end
    }
  }

  #violation(why: string): AppError {
    this.#broken = true;
    return protocolBroken(why, this.#target);
  }

  /** Why the script fell silent. */
  async #ended(mute?: AppError): Promise<Error> {
    const end = await this.guard(this.#call.channel.closed);
    if (end.reason === 'disconnected') {
      return new AppError(
        'DISCONNECTED',
        'The connection to the node was lost during the transfer.',
        'The destination has its old content or the complete new one, never a part. Call again with overwrite to be sure.',
      );
    }
    const [before = '', after = ''] = this.#stderr.split(`${this.word} began\n`);
    if (!this.#call.hasBegun) return new CommandNotStarted(end.code, before);
    if (mute && end.code === 0 && after === '') return mute;
    return remoteFailure('IO', after.trim(), this.#target, this.#deps.maxFileSize);
  }

  readonly #stalled = (): void => {
    const error = new AppError(
      'TRANSFER_STALLED',
      `The transfer was given up: nothing moved for ${IDLE_LIMIT_MS / 1000} s.`,
      'Check the disks and the network of the node, then try again.',
    );
    this.#fail(error);
  };

  async #watch(): Promise<void> {
    const reason = await this.#call.stopped;
    if (reason === 'cancelled') {
      this.#fail(
        new AppError('CANCELLED', 'The transfer was cancelled.', 'Nothing was changed at the destination.'),
      );
    } else if (reason === 'frozen') {
      await this.#call.killFrozen();
      this.#fail(frozen(this.#target));
    } else if (reason === 'held') {
      this.#fail(remoteFailure('IO', this.#stderr.trim(), this.#target, this.#deps.maxFileSize));
    }
  }

  #unwatch(): void {
    this.#over = true;
    clearTimeout(this.#idle);
    this.#call.stop();
  }

  /** The script has said its last word. */
  finish(): void {
    this.#unwatch();
    this.#call.channel.close();
  }

  /**
   * Ends a session that went wrong: the end of its input makes the script remove what it wrote; if it does
   * not end by that, it is killed and `leftover` removed for it.
   */
  async abandon(leftover?: string): Promise<void> {
    if (this.#over) return;
    this.#unwatch();
    const { channel } = this.#call;
    channel.stdin.end();
    void this.#drain();
    const hurried = this.#deps.inFlight.ending.aborted;
    const patience = this.#broken || !this.#call.hasBegun ? 0 : hurried ? 300 : 1_500;
    const ended = await Promise.race([
      channel.closed.then((end) => end.reason === 'closed'),
      delay(patience).then(() => false),
    ]);
    if (ended || !this.#call.hasBegun) {
      channel.close();
      return;
    }
    await this.#call.kill();
    if (leftover !== undefined) await this.#remove(leftover);
  }

  async #drain(): Promise<void> {
    while ((await this.#chunk()) !== null);
  }

  async #remove(file: string): Promise<void> {
    try {
      const call = await RemoteCall.start(this.#deps.shell, {
        target: this.#target,
        argv: () => ['rm', '-f', '--', file],
        precondition: null,
        input: false,
        signal: new AbortController().signal,
        timeoutMs: 3_000,
        hurried: () => true,
      });
      call.stdout.resume();
      call.stderr.resume();
      if ((await call.stopped) === 'timeout') await call.kill();
    } catch (error) {
      this.#deps.shell.logger.warn({ file, error: String(error) }, 'could not remove a temporary file');
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ProtocolViolation) return error.message;
  throw error;
}
