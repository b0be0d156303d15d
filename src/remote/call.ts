import type { Readable, Writable } from 'node:stream';
import { AppError } from '../lib/errors.ts';
import type { ExitStatus, RemoteChannel } from '../ssh/ssh-types.ts';
import { type AttachTarget, attachRequest, newRunId, type RunId } from './command-line.ts';
import { CommandNotStarted, disconnected } from './errors.ts';
import { isFrozen } from './frozen.ts';
import { FROZEN_PACE, HURRIED_PACE, killRun, NORMAL_PACE } from './kill.ts';
import type { ActivePrecondition } from './precondition.ts';
import type { Survivor } from './remote-types.ts';
import { delay, type RemoteShell } from './shell.ts';
import { type FirstFrame, passStarted } from './started.ts';

/** The check gives up after two seconds of its own; no word for longer means that it cannot go on. */
const STARTED_LIMIT_MS = 5_000;
/** The node has a copy of the lockdown file, so the cluster's is not waited for as long. */
const LOCKDOWN_LIMIT_MS = 500;
/** Without a check there is nothing to wait for but a node under load. */
const UNCHECKED_LIMIT_MS = 30_000;
/** A program that has not begun after this time, in ms, is looked after: its container may be frozen. */
const SILENT_START_MS = 800;
/** sshd reports the exit and closes the channel together, unless a background process holds the streams. */
const HELD_GRACE_MS = 150;
/** After the exit, without word of the wrapper's end: so long without output, in ms, and none will come. */
const SILENCE_MS = 2_000;
const LONGEST_GRACE_MS = 10_000;
/** When the last process of a run is dead, sshd closes its channel within milliseconds. */
const BURIAL_MS = 1_500;
const ATTEMPTS = 3;

export interface CallRequest {
  readonly target: AttachTarget;
  /** The program to run; it reports under the inner word of the run. */
  readonly argv: (run: RunId) => readonly string[];
  readonly precondition: ActivePrecondition | null;
  /** Whether the program reads what is written to `stdin`. Write nothing before the call has started. */
  readonly input: boolean;
  readonly signal: AbortSignal;
  /** From the start of the request; none where the caller has limits of its own. */
  readonly timeoutMs?: number;
  /** Whether the server is about to end, so that there is no time to wait for. */
  readonly hurried: () => boolean;
}

/**
 * Why a call came to its end. `held`: the program has exited, but a background process holds the streams; `stopped`: by its
 * reader.
 */
export type StopReason = 'closed' | 'held' | 'timeout' | 'cancelled' | 'frozen' | 'disconnected' | 'stopped';

/** The check did not answer in time: it lets nothing pass any more, but its answer may have been lost. */
export class PreconditionTimeout extends Error {
  readonly survivors: readonly Survivor[] | null;
  /** What to tell, unless it cannot be said that nothing runs. */
  readonly error: AppError;

  constructor(error: AppError, survivors: readonly Survivor[] | null) {
    super(error.message);
    this.error = error;
    this.survivors = survivors;
  }
}

/** One request of one session: precondition, started, output, end. The first reason to stop wins. */
export class RemoteCall {
  readonly run: RunId;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the first reason to stop. */
  readonly stopped: Promise<StopReason>;
  readonly channel: RemoteChannel;
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
    channel: RemoteChannel,
    since: number,
  ) {
    this.#shell = shell;
    this.#request = request;
    this.run = run;
    this.channel = channel;
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
   * Sends the request and waits until it has started. A call that is cancelled meanwhile is handed out as well: it may be
   * about to start, so whoever ends calls must end this one.
   * @throws AppError when the node cannot be reached, the precondition does not hold (nothing was run), or the connection
   * was lost before it said so (DISCONNECTED: it may have run); PreconditionTimeout; CommandNotStarted
   */
  static async start(shell: RemoteShell, request: CallRequest): Promise<RemoteCall> {
    const { precondition, signal, input, target } = request;
    let answers = await checkCanRead(shell, precondition, signal);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = newRunId();
      const check = precondition?.check(answers) ?? '';
      const text = attachRequest(target, run, request.argv(run), { check, input });
      const session = await shell.sessions.take({ signal });
      const since = session.ticks();
      const { channel } = session;
      session.send(text);
      if (!input) channel.stdin.end();
      const limitMs = precondition === null ? UNCHECKED_LIMIT_MS : STARTED_LIMIT_MS;
      const first = await passStarted(channel, run.nonce, limitMs, signal);
      if (first.kind === 'started' || first.kind === 'aborted') {
        return new RemoteCall(shell, request, run, channel, since);
      }
      if (first.kind === 'timeout') {
        shell.noteHung('configuration', channel.closed);
        channel.stdout.resume();
        channel.stderr.resume();
        const survivors = await killRun(shell, run, since, NORMAL_PACE);
        // The check that hangs refuses when it goes on, so the request can be sent again, without the cluster's files.
        if (answers && precondition?.readsOnlyLockdown === true && survivors?.length === 0) {
          answers = false;
          continue;
        }
        throw new PreconditionTimeout(precondition?.refused('timeout') ?? noAnswer(), survivors);
      }
      session.close();
      refuse(first, precondition);
    }
    throw new CommandNotStarted(null, '');
  }

  /** Tells that the program has reported its begin: what comes from now on is its own. */
  began(): void {
    this.#began = true;
  }

  /** Tells that the program's wrapper has reported its end on both streams. */
  ended(): void {
    this.#ended = true;
  }

  /** Tells that output has come. */
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

  /** What sshd reported of the end of the program; both null: nothing. */
  exit(): Promise<ExitStatus> {
    return this.channel.exited;
  }

  /**
   * Kills all processes of the run, closes the channel.
   * @returns what is still there, normally nothing; null when that cannot be said
   */
  async kill(): Promise<readonly Survivor[] | null> {
    const hurried = this.#request.hurried();
    const survivors = await killRun(this.#shell, this.run, this.#since, hurried ? HURRIED_PACE : NORMAL_PACE);
    // What was written before the end may still be under way.
    const ended = await Promise.race([
      this.channel.closed.then(() => true),
      delay(hurried ? 300 : BURIAL_MS).then(() => false),
    ]);
    this.channel.close();
    // Something still holds the streams that the kill has not seen: then it cannot be said that nothing is left.
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
    // Deadline and cancel stay armed until the exit status has come: nothing that is printed disarms them.
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
    if ((await isFrozen(this.#shell, this.#request.target)) && !this.#began) this.stop('frozen');
  }
}

/** @throws unless another session may be tried */
function refuse(first: FirstFrame, precondition: ActivePrecondition | null): void {
  if (first.kind === 'refused' && precondition !== null) throw precondition.refused(first.why);
  if (first.kind === 'disconnected') throw disconnected('the command was on its way');
}

function noAnswer(): AppError {
  return new AppError(
    'ATTACH_FAILED',
    'The node did not start the command in time, so the call was given up.',
    'Look at its effects before repeating it, and at the load of the node.',
  );
}

/**
 * Whether the check may read the cluster file system, which may hang.
 * @throws AppError ATTRIBUTES_UNREADABLE where it hangs and the check cannot do without
 */
async function checkCanRead(
  shell: RemoteShell,
  precondition: ActivePrecondition | null,
  signal: AbortSignal,
): Promise<boolean> {
  if (precondition?.readsPmxcfs !== true) return true;
  if (precondition.readsAttributes) {
    const answers = await shell.pmxcfsAnswers('configuration', STARTED_LIMIT_MS, signal);
    if (!answers && !signal.aborted) throw precondition.refused('slow');
    return answers;
  }
  return (
    (await shell.pmxcfsAnswers('configuration', LOCKDOWN_LIMIT_MS, signal)) &&
    (await shell.pmxcfsAnswers('inventory', LOCKDOWN_LIMIT_MS, signal))
  );
}
