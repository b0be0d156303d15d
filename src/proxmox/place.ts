import type { AppError } from '../lib/errors.ts';
import type { Entry } from './commands.ts';
import { download } from './download.ts';
import { DidNotStart } from './not-started.ts';
import { runCommand } from './run.ts';
import type { TransferDeps } from './transfer.ts';
import type {
  DownloadOptions,
  ExecOptions,
  ExecResult,
  Place,
  TransferResult,
  UploadOptions,
} from './types.ts';
import { upload } from './upload.ts';

/** What a place does about a command that never began: it gives another way in, or says why there is none. */
export type Recover = (entry: Entry, failure: DidNotStart, signal: AbortSignal) => Promise<Entry | AppError>;

/** A place behind an entry. One attempt; a second one only by another way in, when the first never began. */
export abstract class RemotePlace implements Place {
  abstract readonly label: string;
  readonly #deps: TransferDeps;

  constructor(deps: TransferDeps) {
    this.#deps = deps;
  }

  protected get deps(): TransferDeps {
    return this.#deps;
  }

  protected abstract entry(): Entry;
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

  #attempt<T>(signal: AbortSignal, work: (entry: Entry) => Promise<T>): Promise<T> {
    return this.#deps.activity.track(() => this.#tryWays(signal, work));
  }

  async #tryWays<T>(signal: AbortSignal, work: (entry: Entry) => Promise<T>): Promise<T> {
    let entry = this.entry();
    for (;;) {
      try {
        return await work(entry);
      } catch (error) {
        if (!(error instanceof DidNotStart)) throw error;
        const next = await this.recover(entry, error, signal);
        if (next instanceof Error) throw next;
        entry = next;
      }
    }
  }
}
