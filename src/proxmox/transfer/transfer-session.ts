import type { AppError } from '../../lib/errors.ts';
import { delay } from '../../lib/waits.ts';
import { frozen } from '../../remote/frozen.ts';
import type { CheckedPrecondition } from '../../remote/precondition.ts';
import { type CallRequest, PreconditionTimeout, RemoteCall } from '../../remote/remote-call.ts';
import { CommandNotStarted } from '../../remote/remote-errors.ts';
import { type AttachTarget, type RunId, shellArgv } from '../../remote/session-requests.ts';
import type { RunDeps } from '../exec/run-command.ts';
import { removeRemoteFiles } from './remove-remote-files.ts';
import { type CopyProgress, ReportReader } from './report-reader.ts';
import { StderrReports } from './stderr-reports.ts';
import type { TransferDirs } from './transfer-dirs.ts';
import { connectionLost, IDLE_LIMIT_MS, transferCancelled, transferStalled } from './transfer-end-errors.ts';
import { remoteFailure } from './transfer-errors.ts';

/** Bytes per millisecond that the slowest node can hash: busybox without SHA instructions of the CPU. */
const SLOWEST_DIGEST = 20_000;

export interface TransferDeps extends RunDeps {
  readonly dirs: TransferDirs;
  /** Bytes. */
  readonly maxFileSize: number;
}

/** A session whose program is not a script at its target, but a copy that the node runs between two targets. */
export interface CopyRequest extends CopyProgress {
  /** The program on the node. It reports as a script at the target would. */
  readonly argv: (run: RunId) => readonly string[];
  readonly precondition: CheckedPrecondition | null;
  /** The first word of the frames on stderr, those of the source. */
  readonly sourceWord: string;
  readonly signal: AbortSignal;
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

/** What differs between the kinds of sessions. */
type Kind = Pick<SessionRequest, 'readsOnly' | 'sends'> & { readonly copy?: CopyRequest };

/** One exchange with a remote transfer script, which ends normally or is aborted with cleanup. */
export class TransferSession extends ReportReader {
  readonly #deps: TransferDeps;
  readonly #target: AttachTarget;
  readonly #call: RemoteCall;
  readonly #stderr: StderrReports;
  readonly #readsOnly: boolean;
  readonly #sends: boolean;
  readonly #waiting = new Set<(error: AppError) => void>();
  #failure: AppError | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** How often there was progress. */
  #arrived = 0;
  #over = false;
  #leavesProcesses = false;

  private constructor(
    deps: TransferDeps,
    target: AttachTarget,
    call: RemoteCall,
    { readsOnly = false, sends = false, copy }: Kind,
  ) {
    super(call, target, { maxFileSize: deps.maxFileSize, copy });
    this.#deps = deps;
    this.#readsOnly = readsOnly;
    this.#sends = sends;
    this.#target = target;
    this.#call = call;
    this.#idle = setTimeout(this.#stalled, IDLE_LIMIT_MS);
    this.#stderr = new StderrReports(call.stderr, sends ? this.word : copy?.sourceWord, {
      onBegan: () => {
        if (sends) call.began();
      },
      onFailed: (fields) => {
        if (sends) this.#fail(this.reportedFailure(fields));
      },
    });
    void this.#watch();
  }

  /** Starts a script at `target`. */
  static async open(
    deps: TransferDeps,
    target: AttachTarget,
    { script, args, signal, readsOnly = false, sends = false }: SessionRequest,
  ): Promise<TransferSession> {
    const call = await start(deps, signal, {
      target,
      argv: ({ innerWord }) => shellArgv(script, [innerWord, ...args]),
      precondition: deps.precondition,
    });
    return new TransferSession(deps, target, call, { readsOnly, sends });
  }

  /** Starts a copy to `target` on the node. */
  static async openCopy(
    deps: TransferDeps,
    target: AttachTarget,
    copy: CopyRequest,
  ): Promise<TransferSession> {
    const { argv, precondition } = copy;
    const call = await start(deps, copy.signal, {
      target: { kind: 'host' },
      enters: target,
      argv,
      precondition,
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
  guard<T>(work: Promise<T>): Promise<T> {
    // Not Promise.race: a promise that never settles would keep the result of every race, which are all bytes of the file.
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  #fail(error: AppError): void {
    this.#failure ??= error;
    for (const reject of this.#waiting) reject(this.#failure);
    this.#waiting.clear();
  }

  /** Reports progress. */
  touch(): void {
    this.#arrived++;
    this.#idle?.refresh();
    this.#call.touch();
  }

  /** The script may have left processes that must not go on: `abandon` kills them although the script has ended. */
  leavesProcesses(): void {
    this.#leavesProcesses = true;
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
   * The fields of the report of a copy's source.
   * @param excess the error if a script that sends writes more bytes than were read
   */
  async sent(excess?: AppError): Promise<readonly string[]> {
    return this.guard(
      this.#sends ? Promise.race([this.#stderr.sent, this.#rest(excess)]) : this.#stderr.sent,
    );
  }

  async #rest(excess: AppError | undefined): Promise<never> {
    if ((await this.read()) === null) throw await this.ended();
    throw excess ?? this.violation('it sent more bytes than it announced');
  }

  /** Why the output of the script ended. */
  protected async ended(mute?: AppError): Promise<Error> {
    const end = await this.guard(this.#call.channel.closed);
    if (end.reason === 'disconnected') return connectionLost(this.#readsOnly);
    const { before, after } = this.#stderr.messages(this.word);
    if (!this.#call.hasBegun) return new CommandNotStarted(end.code, before);
    if (mute && end.code === 0 && after === '') return mute;
    return remoteFailure('IO', after, this.#target, this.#deps.maxFileSize);
  }

  /** After a pause of this process, data may be waiting in the socket; then the transfer continues. */
  readonly #stalled = (): void => {
    const idle = this.#idle;
    const arrived = this.#arrived;
    setImmediate(() => {
      if (this.#arrived === arrived && this.#idle === idle) this.#fail(transferStalled());
    });
  };

  async #watch(): Promise<void> {
    const reason = await this.#call.stopped;
    if (reason === 'cancelled') this.#fail(transferCancelled(this.#readsOnly));
    else if (reason === 'frozen') {
      await this.#call.killFrozen();
      this.#fail(frozen(this.#target));
    } else if (reason === 'held' && !this.#sends) {
      // What a script sends may wait for the receiver long after its end.
      this.#fail(remoteFailure('IO', this.#stderr.text.trim(), this.#target, this.#deps.maxFileSize));
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
   * @param limitMs for `cleanup`, unless the server is ending
   */
  async abandon(cleanup?: readonly string[], limitMs?: number): Promise<void> {
    if (this.#over) return;
    this.#unwatch();
    const { channel } = this.#call;
    channel.stdin.end();
    void this.#drain();
    const hurried = this.#deps.inFlight.ending.aborted;
    const patience = this.isViolated || this.#sends || !this.#call.hasBegun ? 0 : hurried ? 300 : 1_500;
    // A script that was killed has removed nothing.
    const ended = await Promise.race([
      channel.closed.then((end) => end.reason === 'closed' && end.code === 0),
      delay(patience).then(() => false),
    ]);
    if ((ended && !this.#leavesProcesses) || !this.#call.hasBegun) {
      channel.close();
      return;
    }
    await this.#call.kill();
    if (cleanup === undefined) return;
    await removeRemoteFiles(this.#deps.shell, this.#target, cleanup, hurried ? undefined : limitMs);
  }

  async #drain(): Promise<void> {
    while ((await this.read()) !== null);
  }
}

type Program = Pick<CallRequest, 'target' | 'enters' | 'argv' | 'precondition'>;

async function start(deps: TransferDeps, signal: AbortSignal, program: Program): Promise<RemoteCall> {
  const { ending } = deps.inFlight;
  try {
    return await RemoteCall.start(deps.shell, {
      ...program,
      input: true,
      signal: AbortSignal.any([signal, ending]),
      hurried: () => ending.aborted,
    });
  } catch (error) {
    throw error instanceof PreconditionTimeout ? error.error : error;
  }
}
