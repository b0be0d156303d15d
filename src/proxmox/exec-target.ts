import type { AppError } from '../lib/errors.ts';
import type { AttachTarget } from '../remote/command-line.ts';
import { CommandNotStarted } from '../remote/errors.ts';
import { runCommand } from './exec/exec.ts';
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

/** What a place does about a command that never began: it gives another way in, or says why there is none. */
export type Recover = (
  entry: AttachTarget,
  failure: CommandNotStarted,
  signal: AbortSignal,
) => Promise<AttachTarget | AppError>;

/** A place behind an entry. One attempt; a second one only by another way in, when the first never began. */
export abstract class RemoteExecTarget implements ExecTarget {
  abstract readonly label: string;
  readonly #deps: TransferDeps;

  constructor(deps: TransferDeps) {
    this.#deps = deps;
  }

  protected get deps(): TransferDeps {
    return this.#deps;
  }

  protected abstract entry(): AttachTarget;
  protected abstract recover: Recover;

  exec(command: string, options: ExecOptions): Promise<ExecResult> {
    return this.#attempt(options.signal, (entry) => runCommand(this.#deps, entry, command, options));
  }

  upload(options: UploadOptions): Promise<TransferResult> {
    return this.#attempt(options.signal, (entry) => upload(this.#deps, entry, options));
  }

  download(options: DownloadOptions): Promise<TransferResult> {
    return this.#attempt(options.signal, (entry) => download(this.#deps, entry, options));
  }

  #attempt<T>(signal: AbortSignal, work: (entry: AttachTarget) => Promise<T>): Promise<T> {
    return this.#deps.activity.track(() => this.#tryWays(signal, work));
  }

  async #tryWays<T>(signal: AbortSignal, work: (entry: AttachTarget) => Promise<T>): Promise<T> {
    let entry = this.entry();
    for (;;) {
      try {
        return await work(entry);
      } catch (error) {
        if (!(error instanceof CommandNotStarted)) throw error;
        const next = await this.recover(entry, error, signal);
        if (next instanceof Error) throw next;
        entry = next;
      }
    }
  }
}
