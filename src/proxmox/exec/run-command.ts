import { AppError } from '../../lib/errors.ts';
import { frozen } from '../../remote/frozen.ts';
import type { InFlightCalls } from '../../remote/in-flight.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { CommandOutput } from '../../remote/protocol.ts';
import { PreconditionTimeout, RemoteCall } from '../../remote/remote-call.ts';
import { CommandNotStarted } from '../../remote/remote-errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { type AttachTarget, shellArgv } from '../../remote/session-requests.ts';
import type { JobsHandle } from '../jobs/job-types.ts';
import type { CapturedStream, CapturedStreams, ExecOptions, ExecResult } from '../proxmox-types.ts';
import type { OrphanedOutput } from './orphaned-output.ts';
import { type Cleaner, OutputBuffer, presentTogether } from './output-buffer.ts';
import { reachedLimit } from './reached-limit.ts';

/** Bytes before the last line that progress needs, so that a secret of several lines is recognized. */
const PROGRESS_CONTEXT = 16 * 1024;

export interface RunDeps {
  readonly shell: RemoteShell;
  /** The name of the node; null before it is known. */
  readonly nodeName: string | null;
  /** The conditions on the node when the call takes effect. */
  readonly precondition: ActivePrecondition | null;
  readonly orphaned: OrphanedOutput;
  readonly inFlight: InFlightCalls;
  /** The jobs of the node. */
  readonly jobs: Pick<JobsHandle, 'wait' | 'capture' | 'cancel'>;
  readonly redactor: Cleaner;
}

/**
 * Runs `command` with the wrapper at `target` and reports its actual result.
 * @throws AppError if the node cannot be reached, the container is frozen, or the call is cancelled before it started;
 * CommandNotStarted if the command could not be started at the target
 */
export async function runCommand(
  deps: RunDeps,
  target: AttachTarget,
  command: string,
  options: ExecOptions,
): Promise<ExecResult> {
  const startedAt = performance.now();
  try {
    const call = await RemoteCall.start(deps.shell, {
      target,
      argv: ({ innerWord }) => shellArgv(SCRIPTS.exec, [innerWord, command]),
      precondition: deps.precondition,
      input: false,
      signal: AbortSignal.any([options.signal, deps.inFlight.ending]),
      timeoutMs: options.timeoutMs,
      hurried: () => deps.inFlight.ending.aborted,
    });
    return await new CommandRun(deps, target, call, options, startedAt).result();
  } catch (error) {
    const lost = {
      ...UNCONFIRMED,
      node: deps.nodeName,
      durationMs: Math.round(performance.now() - startedAt),
    };
    // The check may have started the command, and its answer may have been lost, so the state is unknown.
    if (error instanceof PreconditionTimeout) {
      if (error.survivors === null) return lost;
      throw error.error;
    }
    if (error instanceof AppError && error.code === 'DISCONNECTED') return lost;
    throw error;
  }
}

const NOTHING: CapturedStream = {
  text: '',
  truncated: false,
  originalLength: 0,
  lines: 0,
  digest: null,
  redacted: 0,
};
const NO_OUTPUT: CapturedStreams = { stdout: NOTHING, stderr: NOTHING };
const UNCONFIRMED: Omit<ExecResult, 'durationMs' | 'node'> = {
  ...NO_OUTPUT,
  shorten: () => NO_OUTPUT,
  exitCode: null,
  ended: 'disconnected',
  survivors: null,
  outputHeld: false,
};

/** One running command: collects its output and creates its result. */
class CommandRun {
  readonly #deps: RunDeps;
  readonly #target: AttachTarget;
  readonly #call: RemoteCall;
  readonly #options: ExecOptions;
  readonly #startedAt: number;
  readonly #stdout: OutputBuffer;
  readonly #stderr: OutputBuffer;
  readonly #out: CommandOutput;
  readonly #err: CommandOutput;
  #killing = false;
  /** The stream that has last received output of the command. */
  #grown: OutputBuffer;

  constructor(
    deps: RunDeps,
    target: AttachTarget,
    call: RemoteCall,
    options: ExecOptions,
    startedAt: number,
  ) {
    this.#deps = deps;
    this.#target = target;
    this.#call = call;
    this.#options = options;
    this.#startedAt = startedAt;
    const { characterLimit, digest } = options;
    this.#stdout = new OutputBuffer(characterLimit, deps.redactor, digest);
    this.#stderr = new OutputBuffer(characterLimit, deps.redactor, digest);
    this.#grown = this.#stdout;
    this.#out = new CommandOutput(call.run.innerWord, (bytes) => this.#keep(this.#stdout, bytes));
    this.#err = new CommandOutput(call.run.innerWord, (bytes) => {
      if (!this.#isOfKill(bytes)) this.#keep(this.#stderr, bytes);
    });
    call.stdout.on('data', (chunk: Buffer) => this.#push(this.#out, chunk));
    call.stderr.on('data', (chunk: Buffer) => this.#push(this.#err, chunk));
  }

  /** Whether this is not output of the command but what `su`, or a shell around the session, prints when its child is killed. */
  #isOfKill(bytes: Buffer): boolean {
    return this.#killing && !this.#call.isDirect && /^(Terminated|Killed)\n$/.test(bytes.toString('latin1'));
  }

  #keep(buffer: OutputBuffer, bytes: Buffer): void {
    buffer.push(bytes);
    this.#grown = buffer;
  }

  #push(output: CommandOutput, chunk: Buffer): void {
    output.push(chunk);
    const call = this.#call;
    call.touch();
    if (!call.hasBegun && this.#out.began) call.began();
    if (this.#out.ended && this.#err.ended) call.ended();
    this.#options.onOutput?.(this.#stdout.totalBytes + this.#stderr.totalBytes, () =>
      this.#grown.recent(PROGRESS_CONTEXT),
    );
  }

  async result(): Promise<ExecResult> {
    const call = this.#call;
    const reason = await call.stopped;
    switch (reason) {
      case 'frozen':
        await call.killFrozen();
        throw frozen(this.#target);
      case 'timeout':
      case 'cancelled':
        this.#killing = true;
        return this.#present(reason, { survivors: await call.kill(), outputHeld: false });
      case 'disconnected':
        return this.#present('disconnected', { survivors: null, outputHeld: false });
      default:
        return this.#exited(reason === 'held');
    }
  }

  async #exited(outputHeld: boolean): Promise<ExecResult> {
    const { code } = await this.#call.exit();
    if (outputHeld && this.#out.ended) this.#deps.orphaned.drain(this.#call.channel);
    if (!this.#out.began && !this.#err.began) {
      this.#err.end();
      if (outputHeld) this.#call.channel.close();
      throw new CommandNotStarted(code, this.#err.before);
    }
    if (this.#out.ended) return this.#present('exit', { exitCode: code, survivors: [], outputHeld });
    // Without the wrapper's report, the exit code is not that of the command: the wrapper or the container was killed. What is
    // left of the command runs without a timeout.
    const survivors = await this.#call.kill();
    const cause = await reachedLimit(this.#deps.shell, this.#target, this.#deps.inFlight.ending);
    return this.#present('exit', { exitCode: null, survivors, outputHeld: false, cause });
  }

  async #present(
    ended: ExecResult['ended'],
    rest: Pick<ExecResult, 'survivors' | 'outputHeld' | 'cause'> & { readonly exitCode?: number | null },
  ): Promise<ExecResult> {
    this.#out.end();
    this.#err.end();
    const { characterLimit, keep } = this.#options;
    const stdout = (await this.#stdout.read()).within(characterLimit, keep);
    const stderr = (await this.#stderr.read()).within(characterLimit, keep);
    const shorten = (limit: number) => presentTogether(stdout, stderr, limit, keep);
    return {
      ...shorten(characterLimit),
      shorten,
      exitCode: rest.exitCode ?? null,
      ended,
      durationMs: Math.round(performance.now() - this.#startedAt),
      node: this.#deps.nodeName,
      survivors: rest.survivors,
      outputHeld: rest.outputHeld,
      cause: rest.cause ?? null,
    };
  }
}
