import type ssh2 from 'ssh2';
import { type ChannelHandle, wrapChannel } from './channel.ts';
import { type ConnectOptions, connect, type SshConnectionHandle } from './connect.ts';
import type { RemoteChannel, SshTarget } from './ssh-types.ts';

export interface ConnectionOptions extends ConnectOptions {
  /** Sessions that sshd grants on one connection. */
  readonly maxSessions: number;
  /** A peer from which nothing has come for so long, in ms, is taken for dead. */
  readonly deadAfterMs: number;
  /** A connection that does not answer the opening of a channel for so long, in ms, gets no more work. */
  readonly openTimeoutMs: number;
  /** Told whenever a session became free or the connection changed its state. */
  readonly onChange: () => void;
}

/**
 * What came of opening a channel. The command was sent in the cases `open`, `rejected` and `unconfirmed`; in the others
 * it was not, and never will be.
 * - `rejected`: sshd opened the channel, but will not run the command;
 * - `unconfirmed`: the answer to the command is missing, so it may run or not;
 * - `refused`: sshd grants no session now; `forGood` if it has granted none and holds none that it may still count;
 * - `unanswered`, `lost`: this connection is of no use, another one may be;
 * - `cancelled`: the caller's signal.
 */
export type OpenOutcome =
  | { readonly kind: 'open'; readonly channel: RemoteChannel }
  | { readonly kind: 'refused'; readonly forGood: boolean; readonly why: string }
  | { readonly kind: 'rejected' | 'unconfirmed' | 'unanswered' | 'lost' | 'cancelled' };

/** What was sent cannot be taken back: how long, in ms, a caller who gives up then waits for the answer to it. */
const CONFIRM_GRACE_MS = 2000;

/**
 * sshd gives a session free when it has read our answer to its close and then made a round of its loop: an open that
 * reaches it in the same round is refused. So a refusal soon after a close, in ms, says little about how many sessions it
 * grants and is believed for a moment only; any other one for longer, but not for ever.
 */
const CLOSE_SETTLES_MS = 100;
const BELIEVE_UNSETTLED_MS = 20;
const BELIEVE_SETTLED_MS = 30_000;

/** One SSH connection and its sessions. */
export class Connection {
  readonly #dialled: SshConnectionHandle;
  readonly #options: ConnectionOptions;
  readonly #channels = new Set<ChannelHandle>();
  readonly #gone: Promise<void>;
  #lowered: { readonly limit: number; readonly until: number } | null = null;
  #lastFreed = Number.NEGATIVE_INFINITY;
  #sessions = 0;
  #granted = 0;
  #suspect = false;
  #closing = false;
  #lost = false;
  #watch: NodeJS.Timeout | undefined;

  /** @throws AppError as {@link connect} does. */
  static async connect(target: SshTarget, options: ConnectionOptions): Promise<Connection> {
    return new Connection(await connect(target, options), options);
  }

  private constructor(dialled: SshConnectionHandle, options: ConnectionOptions) {
    this.#dialled = dialled;
    this.#options = options;
    const { client } = dialled;
    this.#gone = new Promise((resolve) => {
      client.once('close', () => {
        this.#onLost();
        resolve();
      });
    });
    // The peer has hung up. A stream through a jump host would stay half open, and the jump host with it.
    client.once('end', () => this.destroy());
    this.#watchPeer();
  }

  /** Sessions asked for or open, including those whose command goes on although our side is closed. */
  get sessions(): number {
    return this.#sessions;
  }

  /** How many sessions may be open at a time; falls when sshd turns out to grant fewer. */
  get limit(): number {
    if (this.#lowered && performance.now() >= this.#lowered.until) this.#lowered = null;
    return this.#lowered?.limit ?? this.#options.maxSessions;
  }

  /** Whether new work may be put on it. */
  get usable(): boolean {
    return !this.#lost && !this.#suspect && !this.#closing;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Opens a session and starts `command` in it, whatever `limit` says. Never rejects. */
  open(command: string, signal?: AbortSignal): Promise<OpenOutcome> {
    if (this.#lost) return Promise.resolve({ kind: 'lost' });
    if (signal?.aborted) return Promise.resolve({ kind: 'cancelled' });
    return new Promise((resolve) => {
      const line = Buffer.from(command);
      let sent = false;
      let settled = false;
      let grace: NodeJS.Timeout | undefined;

      const settle = (outcome: OpenOutcome) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        clearTimeout(grace);
        signal?.removeEventListener('abort', onAbort);
        // The channel may still open. Then it runs a line of blanks instead, and closes by itself.
        if (!sent) line.fill(' ');
        resolve(outcome);
      };
      const onAbort = () => {
        if (sent) grace = setTimeout(settle, CONFIRM_GRACE_MS, { kind: 'unconfirmed' }).unref();
        else settle({ kind: 'cancelled' });
      };
      const onTimeout = () => {
        this.#suspect = true;
        if (!sent) settle({ kind: 'unanswered' });
        this.#options.onChange();
      };
      const timer = setTimeout(onTimeout, this.#options.openTimeoutMs).unref();
      signal?.addEventListener('abort', onAbort);

      this.#sessions++;
      let granted = false;
      const onGranted = () => {
        granted = true;
        sent = !settled;
        this.#granted++;
        this.#suspect = false;
      };
      const free = once(() => {
        this.#sessions--;
        if (granted) {
          this.#granted--;
          this.#lastFreed = performance.now();
        }
        this.#options.onChange();
      });
      try {
        exec(this.#dialled.client, line, onGranted, (error, raw) => {
          if (error) {
            settle(sent ? { kind: this.#lost ? 'unconfirmed' : 'rejected' } : this.#refusal(error));
            free();
            return;
          }
          const handle = wrapChannel(raw, () => {
            this.#channels.delete(handle);
            free();
          });
          this.#channels.add(handle);
          if (settled) handle.channel.close();
          else settle({ kind: 'open', channel: handle.channel });
        });
      } catch {
        // ssh2 throws when its socket has been closed, and has sent nothing then. Its own word for it comes later;
        // until then nothing may be tried on this connection again.
        this.#suspect = true;
        settle({ kind: 'lost' });
        free();
        this.destroy();
      }
    });
  }

  /** Says goodbye and closes; resolves when the connection is gone, after 500 ms at most. Open channels settle as disconnected. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#dialled.client.end();
    const timer = setTimeout(() => this.destroy(), 500);
    await this.#gone;
    clearTimeout(timer);
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#dialled.destroy();
  }

  #refusal(error: Error): OpenOutcome {
    if (this.#lost || !('reason' in error)) return { kind: 'lost' };
    const now = performance.now();
    const settled = now - this.#lastFreed > CLOSE_SETTLES_MS;
    const until = now + (settled ? BELIEVE_SETTLED_MS : BELIEVE_UNSETTLED_MS);
    this.#lowered = { limit: Math.max(1, Math.min(this.limit, this.#granted)), until };
    return { kind: 'refused', forGood: settled && this.#granted === 0, why: error.message };
  }

  #onLost(): void {
    this.#lost = true;
    clearTimeout(this.#watch);
    for (const handle of this.#channels) handle.disconnected();
    this.#channels.clear();
    this.#options.onChange();
  }

  /** Drops a peer that has vanished without a word. Any byte counts as a sign of life, since answers queue behind bulk data. */
  #watchPeer(): void {
    const { deadAfterMs, logger } = this.#options;
    let heard = performance.now();
    this.#dialled.stream.on('data', () => {
      heard = performance.now();
    });
    const silence = () => performance.now() - heard;
    const schedule = () => {
      this.#watch = setTimeout(check, Math.max(deadAfterMs - silence(), 10)).unref();
    };
    const check = () => {
      if (silence() < deadAfterMs) return schedule();
      // If it was this process that stood still, the signs of life are waiting to be read: look after the next poll.
      setImmediate(() => {
        if (this.#lost) return;
        if (silence() < deadAfterMs) return schedule();
        logger.warn(
          `nothing heard from the SSH server for ${Math.round(silence() / 1000)} s: connection dropped`,
        );
        this.destroy();
      });
    };
    schedule();
  }
}

/**
 * ssh2's `exec`, with word of the moment between the opening of the channel and the sending of the command. There is no
 * event for it, but ssh2 looks at the option `env` then; and it takes the command as a Buffer, which can still be changed
 * at that moment. `connection.test.ts` holds both.
 */
function exec(client: ssh2.Client, line: Buffer, onGranted: () => void, callback: ssh2.ClientCallback): void {
  const granted = once(onGranted);
  const options = {
    get env() {
      granted();
      return {};
    },
  };
  Reflect.apply(client.exec, client, [line, options, callback]);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
