import { AppError } from '../../lib/errors.ts';
import {
  type AttachTarget,
  buildCommandLine,
  newRunId,
  type RunId,
  runArgv,
} from '../../remote/command-line.ts';
import { CommandNotStarted } from '../../remote/errors.ts';
import { frozen, isFrozen, SILENT_START_MS } from '../../remote/frozen.ts';
import type { InFlightCalls } from '../../remote/in-flight.ts';
import { FROZEN_PACE, HURRIED_PACE, killRun, NORMAL_PACE } from '../../remote/kill.ts';
import type { PreconditionedChannels } from '../../remote/precondition.ts';
import { PreconditionTimeout } from '../../remote/precondition-errors.ts';
import { StartScanner, TrailerScanner } from '../../remote/protocol.ts';
import type { Survivor } from '../../remote/remote-types.ts';
import { type ChannelSource, delay, RemoteShell } from '../../remote/shell.ts';
import type { RemoteChannel } from '../../ssh/ssh-types.ts';
import type { CapturedStream, ExecOptions, ExecResult } from '../proxmox-types.ts';
import type { OrphanedOutput } from './orphaned-output.ts';
import { type Cleaner, OutputBuffer, presentTogether } from './output-buffer.ts';

/** sshd reports the exit and closes the channel in one breath, unless somebody holds the streams. */
const HELD_GRACE_MS = 150;
/** After the exit is reported, output may still be on its way; this long without any, and no trailer will come. */
const TRAILER_GRACE_MS = 2_000;
/** When the last process of a run is dead, sshd closes its channel within milliseconds. */
const BURIAL_MS = 1_500;
const PROGRESS_INTERVAL_MS = 250;

type Reason = 'trailers' | 'closed' | 'no-trailer' | 'timeout' | 'cancelled' | 'frozen';

export interface RunDeps {
  readonly node: RemoteShell;
  /** Where the command line goes that does the work; the node's own channels are for looking after it. */
  readonly work: ChannelSource;
  /** What holds the call to what it was decided on, where it was decided on anything of the node. */
  readonly guard: PreconditionedChannels | null;
  readonly held: OrphanedOutput;
  readonly activity: InFlightCalls;
  readonly redactor: Cleaner;
}

/** The node for whatever takes effect by a command of ours or of Proxmox. */
export function worker({ node, work }: RunDeps): RemoteShell {
  return new RemoteShell(work, { sudo: node.sudo, logger: node.logger });
}

/**
 * Runs `command` under the wrapper at `entry` and tells what really happened.
 * @throws AppError when the node can't be reached, the container is frozen, or the call is cancelled before it began;
 * DidNotStart when the way in failed.
 */
export async function runCommand(
  deps: RunDeps,
  entry: AttachTarget,
  command: string,
  options: ExecOptions,
): Promise<ExecResult> {
  const mark = newRunId();
  const signal = AbortSignal.any([options.signal, deps.activity.ending]);
  const startedAt = performance.now();
  try {
    const channel = await deps.work.open(buildCommandLine(entry, mark, runArgv(mark, command)), {
      signal,
      noInput: true,
    });
    return await new Run(deps, entry, mark, channel, options, signal).outcome();
  } catch (error) {
    const lost = { ...UNCONFIRMED, durationMs: Math.round(performance.now() - startedAt) };
    if (error instanceof PreconditionTimeout) {
      // It may have let the command pass, and its word been lost with the connection: then nobody can look, either.
      const survivors = await killRun(deps.node, entry, mark, NORMAL_PACE);
      if (survivors === null) return lost;
    }
    if (!(error instanceof AppError) || error.code !== 'DISCONNECTED') throw error;
    return lost; // between the sending of the command and the answer to it
  }
}

const NOTHING: CapturedStream = { text: '', truncated: false, originalLength: 0, redacted: 0 };
const UNCONFIRMED: Omit<ExecResult, 'durationMs'> = {
  stdout: NOTHING,
  stderr: NOTHING,
  exitCode: null,
  ended: 'disconnected',
  survivors: null,
  outputHeld: false,
};

/** One command on its way; lives as long as its call. */
class Run {
  readonly #deps: RunDeps;
  readonly #entry: AttachTarget;
  readonly #mark: RunId;
  readonly #channel: RemoteChannel;
  readonly #options: ExecOptions;
  readonly #signal: AbortSignal;
  readonly #startedAt = performance.now();
  readonly #stdout: OutputBuffer;
  readonly #stderr: OutputBuffer;
  readonly #start: StartScanner;
  readonly #outTrailer: TrailerScanner;
  readonly #errTrailer: TrailerScanner;
  #lastData = this.#startedAt;
  #lastProgress = this.#startedAt;
  #settle: (reason: Reason) => void = () => {};

  constructor(
    deps: RunDeps,
    entry: AttachTarget,
    mark: RunId,
    channel: RemoteChannel,
    options: ExecOptions,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#entry = entry;
    this.#mark = mark;
    this.#channel = channel;
    this.#options = options;
    this.#signal = signal;
    this.#stdout = new OutputBuffer(options.characterLimit, deps.redactor);
    this.#stderr = new OutputBuffer(options.characterLimit, deps.redactor);
    this.#start = new StartScanner(mark.nonce);
    this.#outTrailer = new TrailerScanner(mark.nonce, (bytes) => this.#stdout.push(bytes));
    this.#errTrailer = new TrailerScanner(mark.nonce, (bytes) => this.#stderr.push(bytes));
  }

  async outcome(): Promise<ExecResult> {
    const reason = await this.#firstReason();
    if (reason === 'trailers') return this.#finished();
    if (reason === 'frozen') {
      await killRun(this.#deps.node, this.#entry, this.#mark, FROZEN_PACE);
      this.#channel.close();
      throw frozen(this.#entry);
    }
    if (reason === 'timeout' || reason === 'cancelled') return this.#killed(reason);
    if (reason === 'no-trailer') {
      // The reporter is dead and somebody holds the streams: the exit code is lost for good.
      this.#deps.held.drain(this.#channel);
      return this.#result('exit', { survivors: [], outputHeld: true });
    }
    return this.#afterClose();
  }

  #firstReason(): Promise<Reason> {
    return new Promise<Reason>((resolve) => {
      const timeout = setTimeout(() => this.#settle('timeout'), this.#options.timeoutMs);
      const silence = setTimeout(() => void this.#lookWhetherFrozen(), SILENT_START_MS);
      const onAbort = () => this.#settle('cancelled');
      this.#settle = (reason) => {
        clearTimeout(timeout);
        clearTimeout(silence);
        this.#signal.removeEventListener('abort', onAbort);
        this.#settle = () => {};
        resolve(reason);
      };
      this.#signal.addEventListener('abort', onAbort, { once: true });
      this.#listen();
      if (this.#signal.aborted) onAbort();
    });
  }

  #listen(): void {
    this.#channel.stdout.on('data', (chunk: Buffer) => {
      this.#outTrailer.push(this.#start.push(chunk));
      this.#onData();
    });
    this.#channel.stderr.on('data', (chunk: Buffer) => {
      this.#errTrailer.push(chunk);
      this.#onData();
    });
    this.#channel.stdin.end();
    void this.#channel.closed.then(() => this.#settle('closed'));
    void this.#channel.exited.then(() => this.#awaitTrailers());
  }

  #onData(): void {
    if (this.#outTrailer.exitCode !== undefined && this.#errTrailer.exitCode !== undefined) {
      this.#settle('trailers');
      return;
    }
    this.#lastData = performance.now();
    if (this.#lastData - this.#lastProgress < PROGRESS_INTERVAL_MS) return;
    this.#lastProgress = this.#lastData;
    this.#options.onOutput?.(this.#stdout.totalBytes + this.#stderr.totalBytes);
  }

  async #awaitTrailers(): Promise<void> {
    this.#lastData = performance.now(); // a command that was silent for long has the same right to a trailer
    for (;;) {
      const silentFor = performance.now() - this.#lastData;
      if (silentFor >= TRAILER_GRACE_MS) break;
      await delay(TRAILER_GRACE_MS - silentFor + 1);
    }
    this.#settle('no-trailer');
  }

  async #lookWhetherFrozen(): Promise<void> {
    if (this.#start.started) return;
    if (await isFrozen(this.#deps.node, this.#entry)) this.#settle('frozen');
  }

  async #finished(): Promise<ExecResult> {
    const held = await Promise.race([
      this.#channel.closed.then(() => false),
      this.#channel.exited.then(() => delay(HELD_GRACE_MS)).then(() => true),
    ]);
    if (held) this.#deps.held.drain(this.#channel);
    return this.#result('exit', {
      exitCode: this.#outTrailer.exitCode ?? null,
      survivors: [],
      outputHeld: held,
    });
  }

  async #killed(reason: 'timeout' | 'cancelled'): Promise<ExecResult> {
    const hurried = this.#deps.activity.ending.aborted;
    const pace = hurried ? HURRIED_PACE : NORMAL_PACE;
    const survivors = await killRun(this.#deps.node, this.#entry, this.#mark, pace);
    // What the command wrote before it died may still be under way.
    const ended = await Promise.race([
      this.#channel.closed.then(() => true),
      delay(hurried ? 300 : BURIAL_MS).then(() => false),
    ]);
    this.#channel.close();
    // Somebody still holds the streams, whom the kill has not seen: then nobody can say that nothing is left.
    const unseen = !ended && survivors?.length === 0;
    return this.#result(reason, { survivors: unseen ? null : survivors, outputHeld: false });
  }

  async #afterClose(): Promise<ExecResult> {
    const end = await this.#channel.closed;
    if (end.reason === 'disconnected') {
      return this.#result('disconnected', { survivors: null, outputHeld: false });
    }
    if (!this.#start.started) {
      this.#errTrailer.end();
      const stderr = (await this.#stderr.read()).present(this.#options.characterLimit);
      throw new CommandNotStarted(end.code, stderr.text);
    }
    return this.#result('exit', { survivors: [], outputHeld: false });
  }

  async #result(
    ended: ExecResult['ended'],
    rest: { exitCode?: number | null; survivors: readonly Survivor[] | null; outputHeld: boolean },
  ): Promise<ExecResult> {
    this.#outTrailer.push(this.#start.end());
    this.#outTrailer.end();
    this.#errTrailer.end();
    return {
      ...(await presentTogether(this.#stdout, this.#stderr, this.#options.characterLimit)),
      exitCode: rest.exitCode ?? null,
      ended,
      durationMs: Math.round(performance.now() - this.#startedAt),
      survivors: rest.survivors,
      outputHeld: rest.outputHeld,
    };
  }
}
