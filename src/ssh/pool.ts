import { AppError } from '../lib/errors.ts';
import { KEEPALIVE_MS } from './connect.ts';
import { UnreachableError } from './connect-errors.ts';
import { connectWithRetry } from './connect-with-retry.ts';
import type { Connection, ConnectionOptions, OpenOutcome } from './connection.ts';
import type { SshLogger } from './logger.ts';
import { BANNER_TIMEOUT_MS } from './login-wait.ts';
import { cancelled, internal, noSession, shuttingDown, unconfirmed, unstable } from './pool-errors.ts';
import { connectionsWanted } from './pool-sizing.ts';
import { SessionQueue, type Waiter } from './session-queue.ts';
import type { OpenOptions, RemoteChannel, SshTarget } from './ssh-types.ts';

/** Counts are per pool, times in ms. The defaults suit OpenSSH's; tests shorten the times. */
export interface SshPoolOptions {
  readonly logger: SshLogger;
  /** OpenSSH's MaxSessions. One of them is reserved for `control`. */
  readonly maxSessionsPerConnection?: number;
  readonly maxConnections?: number;
  readonly readyTimeoutMs?: number;
  readonly bannerTimeoutMs?: number;
  /** Called with a message when a server's banner delays the login, and with null when the login has ended. */
  readonly onBanner?: (text: string | null) => void;
  readonly keepaliveMs?: number;
  readonly deadAfterMs?: number;
  readonly openTimeoutMs?: number;
  /** A connection other than the first is closed after it has been idle for this long. */
  readonly idleMs?: number;
  /**
   * Makes a connection; by default directly to the target of the pool.
   * @throws AppError as `connect` does
   */
  readonly connect?: (options: ConnectionOptions) => Promise<Connection>;
}

interface Member {
  readonly connection: Connection;
  idleSince: number | null;
}

/** How long an open waits for a session before the pool considers another connection. */
const TICK_MS = 100;
/** How many lost connections one open survives before it fails. */
const MAX_FAILURES = 3;

/**
 * Sessions on one SSH server. Connects at first use, adds connections when sessions run short, and replaces lost ones.
 * A command is sent at most once.
 */
export class SshPool {
  readonly #target: SshTarget;
  readonly #options: Required<SshPoolOptions>;
  readonly #shutdown = new AbortController();
  #members: Member[] = [];
  readonly #queue = new SessionQueue();
  #connecting = 0;
  #connectMs = 255;
  #served = 0;
  #generation = 0;
  #noGrowthBefore = 0;
  #tick: NodeJS.Timeout | undefined;
  #idleCheck: NodeJS.Timeout | undefined;

  constructor(target: SshTarget, options: SshPoolOptions) {
    this.#target = target;
    this.#options = {
      maxSessionsPerConnection: 10,
      maxConnections: 16,
      readyTimeoutMs: 15_000,
      bannerTimeoutMs: BANNER_TIMEOUT_MS,
      onBanner: () => {},
      keepaliveMs: KEEPALIVE_MS,
      deadAfterMs: 26_000,
      openTimeoutMs: 5000,
      idleMs: 30_000,
      connect: (each) => connectWithRetry(target, each),
      ...options,
    };
  }

  /** Number of connections that can be used. */
  get connections(): number {
    return this.#members.filter(({ connection }) => connection.usable).length;
  }

  get connected(): boolean {
    return this.connections > 0;
  }

  /** How often a connection was made while there was none. */
  get generation(): number {
    return this.#generation;
  }

  /** How many sessions for commands could be opened now without waiting, and without taking one from a waiting open. */
  get spare(): number {
    if (this.#queue.length > 0) return 0;
    let spare = 0;
    for (const { connection } of this.#members) {
      if (connection.usable)
        spare += Math.max(0, connection.limit - reserveOf(connection) - connection.sessions);
    }
    return spare;
  }

  /**
   * Runs `command` in the remote login shell, in its own session. Waits for a free session if necessary.
   *
   * @throws AppError; with CANCELLED, SHUTTING_DOWN, SSH_UNREACHABLE, SSH_AUTH_FAILED, SSH_KEY_UNUSABLE,
   * HOST_KEY_UNKNOWN, HOST_KEY_CHANGED and SSH_NO_SESSION the command has not been run; with DISCONNECTED it may have been.
   */
  open(command: string, options: OpenOptions = {}): Promise<RemoteChannel> {
    const { signal, priority } = options;
    if (this.#shutdown.signal.aborted) return Promise.reject(shuttingDown());
    if (signal?.aborted) return Promise.reject(cancelled());
    const opened = this.#queue.join(command, priority === 'control', signal);
    this.#dispatch();
    return opened;
  }

  /** Closes all connections; resolves within a second. Waiting opens are rejected, open channels end as disconnected. */
  async close(): Promise<void> {
    this.#shutdown.abort();
    clearTimeout(this.#tick);
    clearTimeout(this.#idleCheck);
    this.#queue.rejectAll(shuttingDown());
    await Promise.all(this.#members.map(({ connection }) => connection.close()));
  }

  /** Assigns free sessions to waiting opens, and schedules another connection if there are too few. */
  #dispatch(): void {
    if (this.#shutdown.signal.aborted) return;
    this.#tidy();
    for (let first = this.#queue.first; first; first = this.#queue.first) {
      // `control` comes first and may use any session. If there is none for the first waiter, there is none for the others.
      const connection = this.#pick(first.control);
      if (!connection) break;
      this.#queue.leave(first);
      this.#served++;
      this.#start(first, connection);
    }
    if (this.#queue.length === 0) return;
    if (!this.connected) this.#grow();
    else if (this.#tick === undefined) {
      this.#served = 0;
      this.#tick = setTimeout(() => this.#onTick(), TICK_MS).unref();
    }
  }

  #onTick(): void {
    this.#tick = undefined;
    this.#grow();
    this.#dispatch();
  }

  /** The connection with the fewest sessions that has one free; of equals the oldest, so that the others become idle. */
  #pick(control: boolean): Connection | undefined {
    let best: Connection | undefined;
    for (const { connection } of this.#members) {
      const reserved = control ? 0 : reserveOf(connection);
      if (!connection.usable || connection.sessions >= connection.limit - reserved) continue;
      if (!best || connection.sessions < best.sessions) best = connection;
    }
    return best;
  }

  async #start(waiter: Waiter, connection: Connection): Promise<void> {
    const outcome = await connection.open(waiter.command, waiter.signal);
    switch (outcome.kind) {
      case 'open':
        return waiter.resolve(outcome.channel);
      case 'cancelled':
        return waiter.reject(cancelled());
      case 'unconfirmed':
        return waiter.reject(unconfirmed(this.#target));
      case 'rejected':
        return waiter.reject(noSession(this.#target, 'it opened a session, but refused to run the command'));
      case 'refused':
        if (outcome.permanent) return waiter.reject(noSession(this.#target, outcome.why));
        break;
      default:
        waiter.failures++;
    }
    this.#retry(waiter, outcome);
  }

  #retry(waiter: Waiter, outcome: OpenOutcome): void {
    if (this.#shutdown.signal.aborted) waiter.reject(shuttingDown());
    else if (waiter.signal?.aborted) waiter.reject(cancelled());
    else if (waiter.failures >= MAX_FAILURES) waiter.reject(unstable(this.#target, MAX_FAILURES));
    else {
      this.#options.logger.debug(`session not opened (${outcome.kind}), trying again`);
      this.#queue.enter(waiter);
      this.#dispatch();
    }
  }

  #grow(): void {
    const usable = this.#members.filter(({ connection }) => connection.usable).length;
    const now = performance.now();
    if (usable > 0 && now < this.#noGrowthBefore) return;
    const wanted = connectionsWanted({
      usable,
      connecting: this.#connecting,
      maxConnections: this.#options.maxConnections,
      perConnection: Math.max(1, this.#sessionsToExpect() - 1),
      waiting: this.#queue.length,
      overdue: this.#queue.countSince(now - 0.9 * TICK_MS),
      served: this.#served,
      tickMs: TICK_MS,
      connectMs: this.#connectMs,
    });
    for (let i = 0; i < wanted; i++) this.#connect();
  }

  /** The sessions that a new connection will probably allow, judged by the existing connections. */
  #sessionsToExpect(): number {
    const limits = this.#members.map(({ connection }) => connection.limit);
    return Math.min(this.#options.maxSessionsPerConnection, ...limits);
  }

  async #connect(): Promise<void> {
    this.#connecting++;
    const started = performance.now();
    try {
      const connection = await this.#options.connect({
        ...this.#options,
        maxSessions: this.#options.maxSessionsPerConnection,
        signal: this.#shutdown.signal,
        onChange: () => this.#dispatch(),
      });
      this.#connectMs = performance.now() - started;
      if (this.#shutdown.signal.aborted) return connection.destroy();
      if (!this.connected) this.#generation++;
      this.#members.push({ connection, idleSince: null });
    } catch (error) {
      this.#onConnectFailed(error);
    } finally {
      this.#connecting--;
    }
    this.#dispatch();
  }

  #onConnectFailed(error: unknown): void {
    const others = this.connected || this.#connecting > 1;
    if (others && error instanceof UnreachableError) {
      // The existing connections serve the waiting opens.
      this.#options.logger.warn(`could not open another connection: ${error.message}`);
      this.#noGrowthBefore = performance.now() + 1000;
      return;
    }
    this.#queue.rejectAll(error instanceof AppError ? error : internal(error));
  }

  #tidy(): void {
    this.#members = this.#members.filter(({ connection }) => !connection.lost);
    const now = performance.now();
    for (const member of this.#members) {
      const { connection } = member;
      member.idleSince = connection.sessions > 0 ? null : (member.idleSince ?? now);
      if (!connection.usable && connection.sessions === 0) connection.destroy();
    }
    if (this.#members.length > 1 && this.#idleCheck === undefined) {
      this.#idleCheck = setTimeout(() => this.#closeIdle(), this.#options.idleMs / 2).unref();
    }
  }

  #closeIdle(): void {
    this.#idleCheck = undefined;
    const now = performance.now();
    for (const { connection, idleSince } of this.#members.slice(1)) {
      if (idleSince !== null && now - idleSince >= this.#options.idleMs) connection.close();
    }
    this.#tidy();
  }
}

/** Sessions that are kept for `control`. */
function reserveOf({ limit }: Connection): number {
  return limit > 1 ? 1 : 0;
}
