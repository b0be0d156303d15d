import { messageOf } from '../lib/errors.ts';
import { quoteAll } from '../lib/quote.ts';
import { firstOf } from '../lib/waits.ts';
import { isNotConnected } from '../ssh/pool-errors.ts';
import type { RemoteShell } from './remote-shell.ts';
import { SCRIPTS } from './scripts/index.ts';
import type { Session } from './session.ts';
import type { FirstFrame } from './started.ts';

type Asked = Pick<RemoteShell, 'script' | 'logger'>;

/** A directory of the node that a restart empties. */
const DIRECTORY = '/run/proxmox-mcp/starts';
/** How long, in ms, a request is being withdrawn. It may arrive late, when the network works again. */
const WITHDRAW_LIMIT_MS = 30_000;
/** How long, in ms, a call waits for that after its connection was lost, and if the node does not answer any more. */
const WAIT_LOST_MS = 10_000;
const WAIT_SILENT_MS = 4_000;
/** Claims are removed in batches of this size, because each removal starts processes on the node. */
const BATCH = 32;

/**
 * Finds out whether a request started whose connection was lost before the node confirmed it. The first thing that a request
 * does is to create a file of its own, its claim. If the server can create the same file over a new connection, the request
 * has not started and never will: it may be sent again. If the file exists, the request may have run.
 */
export class StartClaims {
  readonly #shell: Asked;
  /** Does work in a shell of the same node that is reached by another route, if this one cannot be reached any more. */
  elsewhere: (<T>(work: (shell: Asked) => Promise<T>) => Promise<T>) | undefined;
  /** Whether the SSH user can write claims. */
  #possible = true;
  #confirmed: string[] = [];

  constructor(shell: Asked) {
    this.#shell = shell;
  }

  /** Shell text that precedes everything else of a request; empty if the node accepts no claims. @param name used once */
  claim(name: string): string {
    return this.#possible ? `set -- ${quoteAll([DIRECTORY, name, ''])}\n${SCRIPTS.claimStart}` : '';
  }

  /**
   * Whether a request may be sent again, in another session and with another name, because it is certain that it has not run.
   * @param first the end of the first attempt; its claim is removed if it is not needed any more
   */
  async mayRepeat(
    first: FirstFrame,
    name: string,
    session: Session,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (first.kind === 'closed') return true;
    if (first.kind === 'refused' && first.why === 'unclaimed') {
      this.#possible = false;
      this.#shell.logger.debug({ directory: DIRECTORY }, 'the node accepts no claims of requests');
      return true;
    }
    if (first.kind === 'silent') session.channel.connection.distrust();
    if (first.kind === 'silent' || first.kind === 'disconnected') {
      const waitMs = first.kind === 'silent' ? WAIT_SILENT_MS : WAIT_LOST_MS;
      return (await firstOf(this.#withdraw(name, session), waitMs, signal)) === true;
    }
    this.confirmed(name);
    return false;
  }

  /** @returns whether it is certain that the request has not run and never will */
  async #withdraw(name: string, { bootId }: Session): Promise<boolean> {
    if (!this.#possible || bootId === '') return false;
    const signal = AbortSignal.timeout(WITHDRAW_LIMIT_MS);
    const ask = async (shell: Asked) => {
      const limit = { timeoutMs: WITHDRAW_LIMIT_MS, signal };
      const { code } = await shell.script(SCRIPTS.claimStart, [DIRECTORY, name, bootId], limit);
      return code === 0;
    };
    try {
      return await ask(this.#shell).catch((error: unknown) => {
        if (this.elsewhere === undefined || !isNotConnected(error)) throw error;
        return this.elsewhere(ask);
      });
    } catch (error) {
      this.#shell.logger.debug(
        { error: messageOf(error) },
        'could not ask the node whether a request started',
      );
      return false;
    }
  }

  /** The node has answered the request, so that its claim is not needed any more. */
  confirmed(name: string): void {
    if (!this.#possible) return;
    this.#confirmed.push(name);
    if (this.#confirmed.length < BATCH) return;
    const args = [DIRECTORY, ...this.#confirmed.splice(0)];
    // Later servers remove what this one leaves.
    this.#shell.script(SCRIPTS.removeClaims, args, { timeoutMs: WITHDRAW_LIMIT_MS }).catch(() => {});
  }
}
