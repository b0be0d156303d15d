import type ssh2 from 'ssh2';
import { type ChannelHandle, wrapChannel } from './channel.ts';
import { type ConnectOptions, connect, type SshConnectionHandle } from './connect.ts';
import type { ChannelConnection, RemoteChannel, SshTarget } from './ssh-types.ts';

export interface ConnectionOptions extends ConnectOptions {
  /** Maximum sessions on one connection (sshd's MaxSessions). */
  readonly maxSessions: number;
  /** The connection is dropped when no data has arrived for this long, in ms. */
  readonly deadAfterMs: number;
  /** A connection that does not answer a channel open within this time, in ms, gets no more work. */
  readonly openTimeoutMs: number;
  /** Called when a session becomes free or the connection changes its state. */
  readonly onChange: () => void;
}

/**
 * The outcome of opening a channel. The command was sent in the cases `open`, `rejected` and `unconfirmed`; in the others
 * it was not sent and never will be.
 * - `rejected`: sshd opened the channel, but refused to run the command;
 * - `unconfirmed`: sshd did not answer, so the command may be running or not;
 * - `refused`: sshd grants no session now; `permanent` if no session is open that could become free;
 * - `unanswered`, `lost`: this connection is unusable, another one may work;
 * - `cancelled`: the caller's signal was aborted.
 */
export type OpenOutcome =
  | { readonly kind: 'open'; readonly channel: RemoteChannel }
  | { readonly kind: 'refused'; readonly permanent: boolean; readonly why: string }
  | { readonly kind: 'rejected' | 'unconfirmed' | 'unanswered' | 'lost' | 'cancelled' };

/** How long, in ms, a cancelled call waits for sshd's answer after its command was sent, since that cannot be undone. */
const CONFIRM_GRACE_MS = 2000;

/**
 * sshd frees a session one iteration of its main loop after it has read our answer to its close. An open that arrives in the
 * same iteration is refused, although the session is about to be free. So a refusal within CLOSE_SETTLES_MS of a close lowers
 * the session limit only briefly; any other refusal lowers it for longer.
 */
const CLOSE_SETTLES_MS = 100;
const LIMIT_UNSETTLED_MS = 20;

/** On a busy machine the close and the refusal are read later. Only a refusal so long after a close proves that none is free. */
const PERMANENT_AFTER_MS = 10_000;
const LIMIT_SETTLED_MS = 30_000;

/** One SSH connection and its sessions. */
export class Connection implements ChannelConnection {
  readonly #handle: SshConnectionHandle;
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
  #heardAt = performance.now();

  /** @throws AppError as {@link connect} does. */
  static async connect(target: SshTarget, options: ConnectionOptions): Promise<Connection> {
    return new Connection(await connect(target, options), options);
  }

  private constructor(handle: SshConnectionHandle, options: ConnectionOptions) {
    this.#handle = handle;
    this.#options = options;
    const { client } = handle;
    this.#gone = new Promise((resolve) => {
      client.once('close', () => {
        this.#onLost();
        resolve();
      });
    });
    // The server has closed its side. Without this, a stream through a jump host and the jump host would stay half open.
    client.once('end', () => this.destroy());
    this.#watchPeer();
  }

  /** Sessions requested or open, including those whose command still runs after we closed our side. */
  get sessions(): number {
    return this.#sessions;
  }

  /** How many sessions may be open at once; lowered when sshd refuses one. */
  get limit(): number {
    if (this.#lowered && performance.now() >= this.#lowered.until) this.#lowered = null;
    return this.#lowered?.limit ?? this.#options.maxSessions;
  }

  /** Whether it may be used for new sessions. */
  get usable(): boolean {
    return !this.#lost && !this.#suspect && !this.#closing;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  distrust(): void {
    this.#suspect = true;
    this.#options.onChange();
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
        // The channel may still open. It then runs a line of spaces instead of the command, and closes by itself.
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
        exec(this.#handle.client, line, onGranted, (error, raw) => {
          if (error) {
            settle(sent ? { kind: this.#lost ? 'unconfirmed' : 'rejected' } : this.#refusal(error));
            free();
            return;
          }
          const handle = wrapChannel(raw, this, () => {
            this.#channels.delete(handle);
            free();
          });
          this.#channels.add(handle);
          if (settled) handle.channel.close();
          else settle({ kind: 'open', channel: handle.channel });
        });
      } catch {
        // ssh2 throws if its socket is closed; it has sent nothing then. Its `close` event follows later, so the connection
        // is marked as unusable until then.
        this.#suspect = true;
        settle({ kind: 'lost' });
        free();
        this.destroy();
      }
    });
  }

  /** Closes the connection; resolves within 500 ms. Open channels settle as disconnected. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#handle.client.end();
    const timer = setTimeout(() => this.destroy(), 500);
    await this.#gone;
    clearTimeout(timer);
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#handle.destroy();
  }

  #refusal(error: Error): OpenOutcome {
    if (this.#lost || !('reason' in error)) return { kind: 'lost' };
    const now = performance.now();
    const settled = now - this.#lastFreed > CLOSE_SETTLES_MS;
    const until = now + (settled ? LIMIT_SETTLED_MS : LIMIT_UNSETTLED_MS);
    this.#lowered = { limit: Math.max(1, Math.min(this.limit, this.#granted)), until };
    const permanent = this.#granted === 0 && now - this.#lastFreed > PERMANENT_AFTER_MS;
    return { kind: 'refused', permanent, why: error.message };
  }

  #onLost(): void {
    this.#lost = true;
    clearTimeout(this.#watch);
    for (const handle of this.#channels) handle.disconnected();
    this.#channels.clear();
    this.#options.onChange();
  }

  /** Drops the connection when no data arrives. Any byte counts, because keepalive replies may be queued after bulk data. */
  #watchPeer(): void {
    const { deadAfterMs, logger } = this.#options;
    this.#handle.stream.on('data', () => {
      this.#heardAt = performance.now();
    });
    const schedule = () => {
      this.#watch = setTimeout(check, Math.max(deadAfterMs - this.silentMs, 10)).unref();
    };
    const check = () => {
      if (this.silentMs < deadAfterMs) return schedule();
      // If this process was suspended, data may be waiting in the socket. Check again after it had a chance to be read.
      setImmediate(() => {
        if (this.#lost) return;
        if (this.silentMs < deadAfterMs) return schedule();
        logger.warn(
          `no data from the SSH server for ${Math.round(this.silentMs / 1000)} s: connection dropped`,
        );
        this.destroy();
      });
    };
    schedule();
  }
}

/**
 * ssh2's `exec` with a callback between the opening of the channel and the sending of the command. ssh2 has no event for
 * that moment, but it reads the option `env` then. It accepts the command as a Buffer, whose content can still be changed at
 * that moment. `connection.test.ts` tests both.
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
