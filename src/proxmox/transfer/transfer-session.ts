import { AppError } from '../../lib/errors.ts';
import { ByteReader } from '../../remote/byte-reader.ts';
import {
  type AttachTarget,
  buildCommandLine,
  newRunId,
  type RunId,
  shellArgv,
} from '../../remote/command-line.ts';
import { CommandNotStarted } from '../../remote/errors.ts';
import { frozen, isFrozen, SILENT_START_MS } from '../../remote/frozen.ts';
import { FROZEN_PACE, HURRIED_PACE, killRun, NORMAL_PACE } from '../../remote/kill.ts';
import { PreconditionTimeout } from '../../remote/precondition-errors.ts';
import { MAX_GREETING } from '../../remote/protocol.ts';
import { delay } from '../../remote/shell.ts';
import type { RemoteChannel } from '../../ssh/ssh-types.ts';
import type { RunDeps } from '../exec/exec.ts';
import type { TransferDirs } from './transfer-dirs.ts';
import { remoteFailure } from './transfer-errors.ts';

/** A transfer that moves nothing for this long is given up; a slow one is not. */
const IDLE_LIMIT_MS = 30_000;
/** Bytes that the slowest of nodes hashes in a millisecond: a busybox without the processor's own instructions. */
const SLOWEST_DIGEST = 20_000;
const STDERR_LIMIT = 8_192;

export interface TransferDeps extends RunDeps {
  readonly dirs: TransferDirs;
  /** Bytes. */
  readonly maxFileSize: number;
}

/** One conversation with a transfer script on the far side, ended in order or torn down and cleaned up after. */
export class TransferDialog {
  readonly channel: RemoteChannel;
  readonly reader: ByteReader;
  readonly #deps: TransferDeps;
  readonly #entry: AttachTarget;
  readonly #mark: RunId;
  readonly #signal: AbortSignal;
  readonly #stop: Promise<never>;
  #fail: (error: AppError) => void = () => {};
  #idle: NodeJS.Timeout | undefined;
  #started = false;
  #stderr = '';
  #onAbort: () => void = () => {};

  private constructor(
    deps: TransferDeps,
    entry: AttachTarget,
    mark: RunId,
    channel: RemoteChannel,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#entry = entry;
    this.#mark = mark;
    this.channel = channel;
    this.#signal = signal;
    this.reader = new ByteReader(channel.stdout);
    this.#stop = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#stop.catch(() => {}); // it may come when nobody waits any more
    channel.stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < STDERR_LIMIT) this.#stderr += chunk.toString('utf8');
    });
    this.#watch();
  }

  /** Starts `script` at `entry`; it gets the nonce as $1 and `args` after it. */
  static async open(
    deps: TransferDeps,
    entry: AttachTarget,
    script: string,
    args: readonly string[],
    callSignal: AbortSignal,
  ): Promise<TransferDialog> {
    const mark = newRunId();
    const signal = AbortSignal.any([callSignal, deps.activity.ending]);
    const line = buildCommandLine(entry, mark, shellArgv(script, [mark.nonce, ...args]));
    const channel = await deps.work.open(line, { signal }).catch(async (error: unknown) => {
      if (error instanceof PreconditionTimeout) await killRun(deps.node, entry, mark, NORMAL_PACE);
      throw error;
    });
    return new TransferDialog(deps, entry, mark, channel, signal);
  }

  get nonce(): string {
    return this.#mark.nonce;
  }

  /** Waits for `work`, but no longer than until the call is cancelled or nothing has moved for too long. */
  async guard<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stop]);
  }

  /** Something moved. */
  touch(): void {
    this.#idle?.refresh();
  }

  /** All has moved, and the far side reads `bytes` once more for their hash, in silence. */
  digesting(bytes: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS + bytes / SLOWEST_DIGEST);
  }

  /**
   * The next line of the script, which must say `word`; its fields.
   * @param mute what it means when the script comes to its end without saying it, nor anything of an error.
   * @throws AppError for what the script refused, or when the connection went; DidNotStart
   */
  async expect(word: string, mute?: AppError): Promise<string[]> {
    const line = this.#started ? await this.guard(this.reader.line()) : await this.#firstLine();
    if (line === null) throw await this.#ended(mute);
    const [nonce, said = '', ...fields] = line.split(' ');
    if (nonce !== this.nonce) throw await this.#ended(mute);
    this.#started = true;
    this.touch();
    if (said === word) return fields;
    const text = (await this.guard(this.reader.line())) ?? '';
    throw remoteFailure(fields[0] ?? said, text, this.#entry, this.#deps.maxFileSize);
  }

  /** The first line of the script, without what a login shell that greets has printed before it. */
  async #firstLine(): Promise<string | null> {
    for (let greeting = 0; greeting <= MAX_GREETING; ) {
      const line = await this.guard(this.reader.line());
      const at = line?.indexOf(this.nonce) ?? 0;
      if (line === null || at >= 0) return line?.slice(at) ?? null;
      greeting += line.length + 1;
    }
    return null;
  }

  /** Why the script fell silent. */
  async #ended(mute?: AppError): Promise<Error> {
    const end = await this.guard(this.channel.closed);
    if (end.reason === 'disconnected') {
      return new AppError(
        'DISCONNECTED',
        'The connection to the node was lost during the transfer.',
        'The destination has its old content or the complete new one, never a part. Call again with overwrite to be sure.',
      );
    }
    if (!this.#started) {
      return new CommandNotStarted(end.code, this.#stderr);
    }
    if (mute && end.code === 0 && this.#stderr === '') return mute;
    return remoteFailure('IO', this.#stderr.trim(), this.#entry, this.#deps.maxFileSize);
  }

  readonly #stalled = (): void => {
    const error = new AppError(
      'TRANSFER_STALLED',
      `The transfer was given up: nothing moved for ${IDLE_LIMIT_MS / 1000} s.`,
      'Check the disks and the network of the node, then try again.',
    );
    this.#fail(error);
  };

  #watch(): void {
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS);
    this.#onAbort = () =>
      this.#fail(
        new AppError('CANCELLED', 'The transfer was cancelled.', 'Nothing was changed at the destination.'),
      );
    if (this.#signal.aborted) this.#onAbort();
    else this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    void this.#lookWhetherFrozen();
  }

  async #lookWhetherFrozen(): Promise<void> {
    await Promise.race([delay(SILENT_START_MS), this.channel.closed]);
    if (this.#started || !(await isFrozen(this.#deps.node, this.#entry))) return;
    await killRun(this.#deps.node, this.#entry, this.#mark, FROZEN_PACE);
    this.#fail(frozen(this.#entry));
  }

  #unwatch(): void {
    clearTimeout(this.#idle);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  /** The script has said its last word. */
  finish(): void {
    this.#unwatch();
    void this.reader.drain();
    this.channel.close();
  }

  /**
   * Ends a dialog that went wrong: the end of its input makes the script remove what it wrote; if it does
   * not end by that, it is killed and `leftover` removed for it.
   */
  async abandon(leftover?: string): Promise<void> {
    this.#unwatch();
    void this.reader.drain();
    this.channel.stdin.end();
    const hurried = this.#deps.activity.ending.aborted;
    const ended = await Promise.race([
      this.channel.closed.then((end) => end.reason === 'closed'),
      delay(hurried ? 300 : 1_500).then(() => false),
    ]);
    if (ended || !this.#started) {
      this.channel.close();
      return;
    }
    await killRun(this.#deps.node, this.#entry, this.#mark, hurried ? HURRIED_PACE : NORMAL_PACE);
    this.channel.close();
    if (leftover !== undefined) await this.#remove(leftover);
  }

  async #remove(file: string): Promise<void> {
    try {
      const line = buildCommandLine(this.#entry, newRunId(), ['rm', '-f', '--', file]);
      await this.#deps.node.run(line, { timeoutMs: 3_000 });
    } catch (error) {
      this.#deps.node.logger.warn({ file, error: String(error) }, 'could not remove a temporary file');
    }
  }
}
