import type { AppError } from '../lib/errors.ts';
import { CommandNotStarted } from '../remote/remote-errors.ts';
import type { AttachTarget } from '../remote/session-requests.ts';
import { runCommand } from './exec/run-command.ts';
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

  upload(options: UploadOptions): Promise<TransferResult> {
    return this.track(options.signal, () => upload(this.deps, this.target, options));
  }

  download(options: DownloadOptions): Promise<TransferResult> {
    return this.track(options.signal, () => download(this.deps, this.target, options));
  }

  protected track<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.deps.inFlight.track(async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof CommandNotStarted) throw await this.diagnose(error, signal);
        throw error;
      }
    });
  }
}
