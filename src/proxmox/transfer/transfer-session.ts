import { AppError } from '../../lib/errors.ts';
import { frozen } from '../../remote/frozen.ts';
import type { CheckedPrecondition } from '../../remote/precondition.ts';
import { boundedInteger, type Frame, FrameReader, ProtocolViolation } from '../../remote/protocol.ts';
import { PreconditionTimeout, RemoteCall } from '../../remote/remote-call.ts';
import { CommandNotStarted } from '../../remote/remote-errors.ts';
import { delay } from '../../remote/remote-shell.ts';
import { type AttachTarget, type RunId, shellArgv } from '../../remote/session-requests.ts';
import type { RunDeps } from '../exec/run-command.ts';
import type { TransferDirs } from './transfer-dirs.ts';
import { protocolBroken, remoteFailure } from './transfer-errors.ts';

/** A transfer without any progress for this long is aborted. */
const IDLE_LIMIT_MS = 30_000;
/** Bytes per millisecond that the slowest node can hash: busybox without SHA instructions of the CPU. */
const SLOWEST_DIGEST = 20_000;
const STDERR_LIMIT = 8_192;
/** PATH_MAX of Linux. */
const LONGEST_PATH = 4_096;
const SOURCE_WORDS = ['began', 'sent', 'failed'];
const WORDS = ['began', 'ready', 'data', 'done', 'validated', 'published', 'kept', 'failed', 'progress'];

export interface TransferDeps extends RunDeps {
  readonly dirs: TransferDirs;
  /** Bytes. */
  readonly maxFileSize: number;
}

/** A session whose program is not a script at its target, but a copy that the node runs between two targets. */
export interface CopyRequest {
  /** The program on the node. It reports as a script at the target would. */
  readonly argv: (run: RunId) => readonly string[];
  readonly precondition: CheckedPrecondition | null;
  /** The first word of the frames on stderr, those of the source. */
  readonly sourceWord: string;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

export interface SessionRequest {
  readonly script: string;
  /** $2, $3, … of the script; $1 is the inner word. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Nothing is written on either side, which the errors then do not mention. */
  readonly readsOnly?: boolean;
  /** The script writes nothing but the bytes to stdout (see `read`), and reports to stderr. */
  readonly sends?: boolean;
}

/**
 * One exchange with a remote transfer script, which ends normally or is aborted with cleanup. The script runs in the container,
 * so its output is untrusted: numbers are limited, and more bytes than announced abort the transfer.
 */
export class TransferSession {
  readonly #deps: TransferDeps;
  readonly #target: AttachTarget;
  readonly #call: RemoteCall;
  readonly #reader: FrameReader;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #stop: Promise<never>;
  readonly #readsOnly: boolean;
  readonly #sends: boolean;
  readonly #copy: CopyRequest | undefined;
  readonly #sent: Promise<readonly string[]>;
  #fail: (error: AppError) => void = () => {};
  #idle: NodeJS.Timeout | undefined;
  #stderr = '';
  #broken = false;
  #over = false;

  private constructor(
    deps: TransferDeps,
    target: AttachTarget,
    call: RemoteCall,
    {
      readsOnly = false,
      sends = false,
      copy,
    }: { readonly readsOnly?: boolean; readonly sends?: boolean; readonly copy?: CopyRequest },
  ) {
    this.#deps = deps;
    this.#readsOnly = readsOnly;
    this.#sends = sends;
    this.#copy = copy;
    this.#target = target;
    this.#call = call;
    this.#reader = new FrameReader(call.run.innerWord, WORDS);
    this.#chunks = call.stdout[Symbol.asyncIterator]();
    this.#stop = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#stop.catch(() => {}); // it may reject when nothing waits for it
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS);
    this.#sent = this.#collectStderr(sends ? this.word : copy?.sourceWord);
    void this.#watch();
  }

  /** Starts a script at `target`. */
  static async open(
    deps: TransferDeps,
    target: AttachTarget,
    { script, args, signal, readsOnly = false, sends = false }: SessionRequest,
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
    return new TransferSession(deps, target, call, { readsOnly, sends });
  }

  /** Starts a copy to `target` on the node. */
  static async openCopy(
    deps: TransferDeps,
    target: AttachTarget,
    copy: CopyRequest,
  ): Promise<TransferSession> {
    const call = await RemoteCall.start(deps.shell, {
      target: { kind: 'host' },
      enters: target,
      argv: copy.argv,
      precondition: copy.precondition,
      input: true,
      signal: AbortSignal.any([copy.signal, deps.inFlight.ending]),
      hurried: () => deps.inFlight.ending.aborted,
    }).catch((error: unknown) => {
      throw error instanceof PreconditionTimeout ? error.error : error;
    });
    return new TransferSession(deps, target, call, { copy });
  }

  get stdin() {
    return this.#call.stdin;
  }

  /** The word with which the sender confirms the received data. */
  get word(): string {
    return this.#call.run.innerWord;
  }

  /** Waits for `work`, until the call is cancelled or there was no progress for too long. */
  async guard<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stop]);
  }

  /** Reports progress. */
  touch(): void {
    this.#idle?.refresh();
    this.#call.touch();
  }

  /** Extends the timeout: all data was sent, and the remote side now hashes `bytes` without output. */
  digesting(bytes: number): void {
    this.working(bytes / SLOWEST_DIGEST);
  }

  /** Extends the timeout: the remote side now works for `ms` without output. */
  working(ms: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS + ms);
  }

  /**
   * The fields of the next frame, which must be `word`.
   * @param mute the error if the script ends without any output
   * @throws AppError that the script reported, or if the connection was lost; CommandNotStarted
   */
  async expect(word: string, mute?: AppError): Promise<readonly string[]> {
    const frame = await this.guard(this.#next());
    if (frame === null) throw await this.#ended(mute);
    if (frame.kind !== 'frame') throw this.violation('it sent more bytes than it announced');
    this.touch();
    if (frame.word === 'progress' && this.#copy !== undefined) {
      this.#copy.onProgress(this.number(frame.fields[0], Number.MAX_SAFE_INTEGER));
      return this.expect(word, mute);
    }
    if (frame.word === word) return frame.fields;
    if (frame.word !== 'failed') throw this.violation(`${frame.word} came in place of ${word}`);
    throw this.#failed(frame.fields);
  }

  /**
   * The next bytes of a script that sends; null at their end. It is not guarded, because that would need memory for each chunk:
   * the caller guards the whole.
   */
  read(): Promise<Buffer | null> {
    return this.#chunk();
  }

  /**
   * The fields of the report of a copy's source.
   * @param excess the error if a script that sends writes more bytes than were read
   */
  async sent(excess?: AppError): Promise<readonly string[]> {
    return this.guard(this.#sends ? Promise.race([this.#sent, this.#rest(excess)]) : this.#sent);
  }

  async #rest(excess: AppError | undefined): Promise<never> {
    if ((await this.#chunk()) === null) throw await this.#ended();
    throw excess ?? this.violation('it sent more bytes than it announced');
  }

  #failed([code = '', ...text]: readonly string[]): AppError {
    return remoteFailure(code, text.join(' '), this.#target, this.#deps.maxFileSize);
  }

  /** Keeps the beginning of stderr for error messages. @returns what the source of a copy reports */
  #collectStderr(sourceWord: string | undefined): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const reader = new FrameReader(sourceWord ?? this.word, SOURCE_WORDS);
      this.#call.stderr.on('data', (chunk: Buffer) => {
        if (this.#stderr.length < STDERR_LIMIT) this.#stderr += chunk.toString('utf8');
        if (sourceWord === undefined) return;
        for (const frame of reader.push(chunk)) {
          if (frame.kind !== 'frame') continue;
          if (frame.word === 'sent') resolve(frame.fields);
          else if (this.#sends && frame.word === 'began') this.#call.began();
          else if (this.#sends) this.#fail(this.#failed(frame.fields));
        }
      });
    });
  }

  /** The path that the remote side has resolved. */
  async path(): Promise<string> {
    const parts: Buffer[] = [];
    const { announced, received } = await this.data(LONGEST_PATH, (chunk) => {
      parts.push(chunk);
    });
    if (received < announced) throw await this.#ended();
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
    this.#reader.allowData(limit);
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

  async #next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frame();
      if (frame === undefined) {
        const chunk = await this.#chunk();
        if (chunk === null) return null;
        this.#reader.feed(chunk);
      } else if (frame.kind === 'frame' && frame.word === 'began') this.#call.began();
      // Output before the first frame of the script is ignored.
      else if (frame.kind !== 'text' || this.#call.hasBegun) return frame;
    }
  }

  #frame(): Frame | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      throw this.violation(reasonOf(error));
    }
  }

  async #chunk(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? null : value;
    } catch {
      return null; // "premature close": the connection was lost, which the channel reports, too
    }
  }

  /** The error for a side that does not keep to the protocol. */
  violation(why: string): AppError {
    this.#broken = true;
    return protocolBroken(why, this.#target);
  }

  /** Why the output of the script ended. */
  async #ended(mute?: AppError): Promise<Error> {
    const end = await this.guard(this.#call.channel.closed);
    if (end.reason === 'disconnected') {
      return new AppError(
        'DISCONNECTED',
        'The connection to the node was lost during the transfer.',
        this.#readsOnly
          ? 'Nothing was changed. Call again.'
          : 'The destination has either its old content or the complete new one. Call again with overwrite=true to be sure.',
      );
    }
    const source = this.#copy?.sourceWord;
    const lines = this.#stderr
      .split(/(?<=\n)/)
      .filter((line) => source === undefined || !line.startsWith(source));
    // A script that sends reports its begin twice on stderr.
    const [before = '', ...rest] = lines.join('').split(`${this.word} began\n`);
    const after = rest.join('');
    if (!this.#call.hasBegun) return new CommandNotStarted(end.code, before);
    if (mute && end.code === 0 && after === '') return mute;
    return remoteFailure('IO', after.trim(), this.#target, this.#deps.maxFileSize);
  }

  readonly #stalled = (): void => {
    const error = new AppError(
      'TRANSFER_STALLED',
      `The transfer was aborted, because there was no progress for ${IDLE_LIMIT_MS / 1000} s.`,
      'Check the disks and the network of the node, then call again.',
    );
    this.#fail(error);
  };

  async #watch(): Promise<void> {
    const reason = await this.#call.stopped;
    if (reason === 'cancelled') {
      this.#fail(
        new AppError(
          'CANCELLED',
          `The transfer was cancelled.${this.#readsOnly ? '' : ' The destination was not changed.'}`,
          'Call again if the transfer is still needed.',
        ),
      );
    } else if (reason === 'frozen') {
      await this.#call.killFrozen();
      this.#fail(frozen(this.#target));
    } else if (reason === 'held' && !this.#sends) {
      // What a script sends may wait for the receiver long after its end.
      this.#fail(remoteFailure('IO', this.#stderr.trim(), this.#target, this.#deps.maxFileSize));
    }
  }

  #unwatch(): void {
    this.#over = true;
    clearTimeout(this.#idle);
    this.#call.stop();
  }

  /** The script has sent its last frame. */
  finish(): void {
    this.#unwatch();
    this.#call.channel.close();
  }

  /**
   * Ends a failed session. The end of its input makes the script remove its files. If the script does not end then, it is killed
   * and `cleanup`, an argument vector, removes them.
   */
  async abandon(cleanup?: readonly string[]): Promise<void> {
    if (this.#over) return;
    this.#unwatch();
    const { channel } = this.#call;
    channel.stdin.end();
    void this.#drain();
    const hurried = this.#deps.inFlight.ending.aborted;
    const patience = this.#broken || this.#sends || !this.#call.hasBegun ? 0 : hurried ? 300 : 1_500;
    const ended = await Promise.race([
      channel.closed.then((end) => end.reason === 'closed'),
      delay(patience).then(() => false),
    ]);
    if (ended || !this.#call.hasBegun) {
      channel.close();
      return;
    }
    await this.#call.kill();
    if (cleanup !== undefined) await this.#cleanUp(cleanup);
  }

  async #drain(): Promise<void> {
    while ((await this.#chunk()) !== null);
  }

  async #cleanUp(argv: readonly string[]): Promise<void> {
    try {
      const call = await RemoteCall.start(this.#deps.shell, {
        target: this.#target,
        argv: () => argv,
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
      this.#deps.shell.logger.warn({ argv, error: String(error) }, 'could not remove temporary files');
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ProtocolViolation) return error.message;
  throw error;
}
