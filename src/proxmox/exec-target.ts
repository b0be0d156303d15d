import type { AppError } from '../lib/errors.ts';
import { frozen, isFrozen } from '../remote/frozen.ts';
import { CommandNotStarted } from '../remote/remote-errors.ts';
import type { AttachTarget } from '../remote/session-requests.ts';
import { withReachedLimit } from './exec/reached-limit.ts';
import { runCommand } from './exec/run-command.ts';
import type { Job, JobStart } from './jobs/job-types.ts';
import type {
  DownloadOptions,
  ExecOptions,
  ExecResult,
  ExecTarget,
  TransferResult,
  UploadOptions,
} from './proxmox-types.ts';
import { download } from './transfer/download.ts';
import type { TransferDeps } from './transfer/transfer-session.ts';
import { upload } from './transfer/upload.ts';

/** A command that has not begun after this time, in ms, may be in a frozen container. */
const BEGIN_WITHIN_MS = 1_500;
/** Further time for the begin on a busy node, in ms. */
const SLOW_BEGIN_MS = 3_500;
const MESSAGE_CHARACTERS = 4_000;

/** Commands and transfers at one target. Subclasses define the target and explain why a command did not start there. */
export abstract class RemoteExecTarget implements ExecTarget {
  abstract readonly label: string;
  protected abstract readonly target: AttachTarget;
  protected readonly deps: TransferDeps;

  constructor(deps: TransferDeps) {
    this.deps = deps;
  }

  /** Finds out why a program did not start. */
  protected abstract diagnose(failure: CommandNotStarted, signal: AbortSignal): Promise<AppError>;

  exec(command: string, options: ExecOptions): Promise<ExecResult> {
    return this.track(options.signal, () => runCommand(this.deps, this.target, command, options));
  }

  startJob(command: string, options: JobStart): Promise<Job> {
    return this.track(options.signal, async () => {
      const { startJob } = await import('./jobs/start-job.ts');
      const { shell, precondition, jobs } = this.deps;
      const id = await startJob(shell, this.target, command, precondition, options);
      try {
        return await this.#begun(id, options.signal);
      } catch (error) {
        // The caller does not get the id, so no user could end the job.
        await jobs.cancel(id, new AbortController().signal).catch(() => {});
        throw error;
      }
    });
  }

  /** Waits until the command of a job has begun. @throws CommandNotStarted, AppError CONTAINER_FROZEN, CANCELLED */
  async #begun(id: string, signal: AbortSignal): Promise<Job> {
    const { shell, jobs } = this.deps;
    const wait = (withinMs: number) => jobs.wait(id, { withinMs, signal, news: ({ began }) => began });
    let job = await wait(BEGIN_WITHIN_MS);
    if (!job.began && job.end === null) {
      if (await isFrozen(shell, this.target)) throw frozen(this.target);
      job = await wait(SLOW_BEGIN_MS);
    }
    if (job.began) return job;
    if (job.end?.how === 'exit') {
      const { stderr } = await jobs.capture(id, { characterLimit: MESSAGE_CHARACTERS, signal });
      throw new CommandNotStarted(job.end.attachCode, stderr.text);
    }
    return job;
  }

  upload(options: UploadOptions): Promise<TransferResult> {
    return this.track(options.signal, () => upload(this.deps, this.target, options));
  }

  download(options: DownloadOptions): Promise<TransferResult> {
    return this.track(options.signal, () => download(this.deps, this.target, options));
  }

  /** Runs remote work that a shutdown waits for. Explains why a program did not start. */
  protected track<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.deps.inFlight.track(async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof CommandNotStarted) throw await this.diagnose(error, signal);
        throw await withReachedLimit(error, this.deps.shell, this.target, signal);
      }
    });
  }
}
