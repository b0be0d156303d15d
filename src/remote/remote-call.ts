import type { Readable, Writable } from 'node:stream';
import { AppError } from '../lib/errors.ts';
import { delay } from '../lib/waits.ts';
import type { ExitStatus, RemoteChannel } from '../ssh/ssh-types.ts';
import { isFrozen } from './frozen.ts';
import { FROZEN_PACE, HURRIED_PACE, killRun, NORMAL_PACE } from './kill-run.ts';
import type { CheckedPrecondition } from './precondition.ts';
import { CommandNotStarted, silentAtStart, startUnconfirmed } from './remote-errors.ts';
import type { RemoteShell } from './remote-shell.ts';
import type { Survivor } from './remote-types.ts';
import type { Session } from './session.ts';
import { type AttachTarget, attachRequest, newRunId, type RunId } from './session-requests.ts';
import { type FirstFrame, passStarted } from './started.ts';

/** The check has its own timeout of two seconds. If it is silent for longer, it is stuck. */
const STARTED_LIMIT_MS = 5_000;
/** Shorter, for a check that does not need the cluster file system. */
const UNNEEDED_LIMIT_MS = 500;
/** Timeout without a check, for a node under load. */
const UNCHECKED_LIMIT_MS = 30_000;
/** If a program has not started after this time, in ms, check whether its container is frozen. */
const SILENT_START_MS = 800;
/** sshd reports the exit and closes the channel together, unless a background process holds the streams. */
const HELD_GRACE_MS = 150;
/** After the exit, if the wrapper has not reported its end: time without output, in ms, after which no more is expected. */
const SILENCE_MS = 2_000;
const LONGEST_GRACE_MS = 10_000;
/** sshd closes the channel within milliseconds after the last process of a run has ended, unless the node is very busy. */
const BURIAL_MS = 4_000;
const ATTEMPTS = 3;

export interface CallRequest {
  readonly target: AttachTarget;
  /** The program to run; it reports under the inner word of the run. */
  readonly argv: (run: RunId) => readonly string[];
  readonly precondition: CheckedPrecondition | null;
  /** The container that the program enters, if `target` is the node. */
  readonly enters?: AttachTarget;
  /** Whether the program reads `stdin`. Write nothing to it before the call has started. */
  readonly input: boolean;
  readonly signal: AbortSignal;
  /** From the start of the request; undefined if the caller has its own limits. */
  readonly timeoutMs?: number;
  /** Whether the server is shutting down, so that waits must be short. */
  readonly hurried: () => boolean;
}

/**
 * Why a call ended. `held`: the program has exited, but a background process still has its streams open; `stopped`: by its
 * reader.
 */
export type StopReason = 'closed' | 'held' | 'timeout' | 'cancelled' | 'frozen' | 'disconnected' | 'stopped';

/** The check did not answer in time. It will not start the command any more, but a positive answer may have been lost. */
export class PreconditionTimeout extends Error {
  readonly survivors: readonly Survivor[] | null;
  /** The error to report if it is certain that nothing is running. */
  readonly error: AppError;

  constructor(error: AppError, survivors: readonly Survivor[] | null) {
    super(error.message);
    this.error = error;
    this.survivors = survivors;
  }
}

/** One request of one session: precondition, start, output, end. The first reason to stop wins. */
export class RemoteCall {
  readonly run: RunId;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the first reason to stop. */
  readonly stopped: Promise<StopReason>;
  readonly channel: RemoteChannel;
  /** Whether no other program, which may print messages of its own, is between the shell of the node and sshd. */
  readonly isDirect: boolean;
  readonly #shell: RemoteShell;
  readonly #request: CallRequest;
  readonly #since: number;
  #settle: (reason: StopReason) => void = () => {};
  #over = false;
  #began = false;
  #ended = false;
  #lastData = performance.now();

  private constructor(
    shell: RemoteShell,
    request: CallRequest,
    run: RunId,
    { channel, isDirect }: Pick<Session, 'channel' | 'isDirect'>,
    since: number,
  ) {
    this.#shell = shell;
    this.#request = request;
    this.run = run;
    this.channel = channel;
    this.isDirect = isDirect;
    this.#since = since;
    this.stdin = channel.stdin;
    this.stdout = channel.stdout;
    this.stderr = channel.stderr;
    this.stopped = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#watch();
  }

  /**
   * Sends the request and waits until it has started. Also returns a call that is cancelled during that time: it may be about
   * to start, so the caller must end it.
   * @throws AppError if the node cannot be reached, the precondition fails (nothing was run), or the connection was lost before
   * the start was confirmed and the node does not confirm either that it has not run (DISCONNECTED); PreconditionTimeout;
   * CommandNotStarted
   */
  static async start(shell: RemoteShell, request: CallRequest): Promise<RemoteCall> {
    const { precondition, signal, input, target } = request;
    let answers = await checkCanRead(shell, precondition, signal);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = newRunId();
      const check = shell.claims.claim(run.id) + (precondition?.check(answers) ?? '');
      const text = attachRequest(target, run, request.argv(run), { check, input });
      // The loss of a connection may be waiting to be read.
      await new Promise((resolve) => setImmediate(resolve));
      const session = await shell.sessions.take({ signal });
      const since = session.ticks();
      const { channel } = session;
      session.send(text);
      if (!input) channel.stdin.end();
      const limitMs = precondition === null ? UNCHECKED_LIMIT_MS : STARTED_LIMIT_MS;
      const first = await passStarted(channel, run.nonce, limitMs, signal);
      if (first.kind === 'started' || first.kind === 'aborted') {
        shell.claims.confirmed(run.id);
        return new RemoteCall(shell, request, run, session, since);
      }
      if (first.kind === 'timeout') {
        shell.noteHung('configuration', channel.closed);
        channel.stdout.resume();
        channel.stderr.resume();
        const survivors = await killRun(shell, run, since, NORMAL_PACE);
        // The check itself refuses what comes after so long, so another request may ask the node alone.
        if (answers && survivors?.length === 0 && precondition?.worksWithoutPmxcfs === true) {
          answers = false;
          continue;
        }
        throw new PreconditionTimeout(precondition?.refused('timeout') ?? noAnswer(), survivors);
      }
      session.close();
      if (!(await shell.claims.mayRepeat(first, run.id, session, signal))) throw refusal(first, precondition);
    }
    throw new CommandNotStarted(null, '');
  }

  /** Reports that the program has started: further output is its own. */
  began(): void {
    this.#began = true;
  }

  /** Reports that the wrapper of the program has ended on both streams. */
  ended(): void {
    this.#ended = true;
  }

  /** Reports that output has arrived. */
  touch(): void {
    this.#lastData = performance.now();
  }

  get hasBegun(): boolean {
    return this.#began;
  }

  /** Stops waiting. */
  stop(reason: StopReason = 'stopped'): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle(reason);
  }

  /** How the program ended, as reported by sshd; both null if it reported nothing. */
  exit(): Promise<ExitStatus> {
    return this.channel.exited;
  }

  /**
   * Kills all processes of the run and closes the channel.
   * @returns the surviving processes, normally none; null if unknown
   */
  async kill(): Promise<readonly Survivor[] | null> {
    const hurried = this.#request.hurried();
    const survivors = await killRun(this.#shell, this.run, this.#since, hurried ? HURRIED_PACE : NORMAL_PACE);
    // Output that was written before the end may not have arrived yet.
    const ended = await Promise.race([
      this.channel.closed.then(() => true),
      delay(hurried ? 300 : BURIAL_MS).then(() => false),
    ]);
    this.channel.close();
    // A process that the kill did not find still has the streams open, so survivors are unknown.
    return !ended && survivors?.length === 0 ? null : survivors;
  }

  /** For a container that is frozen, whose processes die when it thaws. */
  async killFrozen(): Promise<void> {
    await killRun(this.#shell, this.run, this.#since, FROZEN_PACE);
    this.channel.close();
  }

  #watch(): void {
    const { signal, timeoutMs } = this.#request;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.stop('timeout'), timeoutMs);
    const silence = setTimeout(() => void this.#lookWhetherFrozen(), SILENT_START_MS);
    const onAbort = () => this.stop('cancelled');
    // The timeout and the cancellation stay active until the exit status has arrived. Output cannot disable them.
    const disarm = () => {
      clearTimeout(timer);
      clearTimeout(silence);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void this.stopped.then(disarm);
    void this.channel.closed.then(({ reason }) =>
      this.stop(reason === 'disconnected' ? 'disconnected' : 'closed'),
    );
    void this.channel.exited.then(() => {
      disarm();
      void this.#awaitClose();
    });
    if (signal.aborted) onAbort();
  }

  async #awaitClose(): Promise<void> {
    const exitedAt = performance.now();
    this.#lastData = exitedAt;
    for (;;) {
      await delay(HELD_GRACE_MS);
      if (this.#over) return;
      const now = performance.now();
      const quiet = now - this.#lastData >= SILENCE_MS || now - exitedAt >= LONGEST_GRACE_MS;
      if (this.#ended || quiet) return this.stop('held');
    }
  }

  async #lookWhetherFrozen(): Promise<void> {
    if (this.#began || this.#over) return;
    if ((await isFrozen(this.#shell, this.#request.enters ?? this.#request.target)) && !this.#began)
      this.stop('frozen');
  }
}

/** The error for a request that did not start, or may not have. */
function refusal(first: FirstFrame, precondition: CheckedPrecondition | null): AppError {
  if (first.kind === 'refused' && precondition !== null) return precondition.refused(first.why);
  return first.kind === 'silent' ? silentAtStart() : startUnconfirmed();
}

function noAnswer(): AppError {
  return new AppError(
    'ATTACH_FAILED',
    'The node did not start the command in time, so the call was aborted.',
    'Check the effects of the command before you repeat it, and check the load of the node.',
  );
}

/**
 * Whether the check may read the cluster file system, which may hang.
 * @throws AppError ATTRIBUTES_UNREADABLE if it hangs and the check needs it
 */
async function checkCanRead(
  shell: RemoteShell,
  precondition: CheckedPrecondition | null,
  signal: AbortSignal,
): Promise<boolean> {
  if (precondition?.readsPmxcfs !== true) return true;
  if (!precondition.worksWithoutPmxcfs) {
    const answers = await shell.pmxcfsAnswers('configuration', STARTED_LIMIT_MS, signal);
    if (!answers && !signal.aborted) throw precondition.refused('slow');
    return answers;
  }
  return (
    (await shell.pmxcfsAnswers('configuration', UNNEEDED_LIMIT_MS, signal)) &&
    (await shell.pmxcfsAnswers('inventory', UNNEEDED_LIMIT_MS, signal))
  );
}
