import { AppError } from '../lib/errors.ts';
import { cancelled, shuttingDown } from '../ssh/pool-errors.ts';
import type { OpenOptions, RemoteChannel } from '../ssh/ssh-types.ts';
import { disconnected } from './remote-errors.ts';
import { Session, shellLine } from './session.ts';
import { noExitCode } from './session-errors.ts';
import { unlessSilent } from './silence.ts';

/** Opens the channels of sessions: an SSH pool, or one connection. */
export interface ChannelSource {
  /** @throws AppError */
  open(command: string, options?: OpenOptions): Promise<RemoteChannel>;
  /** How many sessions can be opened now without waiting; with 0, none is kept ready. */
  readonly spare?: number;
}

export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** `control` (kill, frozen check) has priority, and may use the sessions that are reserved for it. */
  readonly priority?: 'work' | 'control';
  /** Prefers a session that has been used before: for our own host-side scripts. */
  readonly reuse?: boolean;
}

/** Number of sessions that are kept ready; more if the login shell is slow. */
const READY = 3;
const READY_SLOW = 6;
/** A login shell that takes longer than this, in ms, counts as slow. */
const SLOW_MS = 300;
const IDLE_MS = 60_000;
/** sshd handles requests in order, and starting a shell takes it milliseconds: the next session is opened this much later, in ms. */
const REFILL_DELAY_MS = 2;
/** While others are ready, it is opened this much later, in ms: the node has then checked the request, and starts one program after another. */
const REFILL_SPARE_MS = 4;
/** Pause, in ms, after a session could not be opened in advance. */
const REFILL_PAUSE_MS = 5_000;

export interface SessionPoolOptions {
  readonly sudo: boolean;
  /** Ready sessions beyond the first are closed after this time, in ms; a minute. */
  readonly idleMs?: number;
}

interface Waiter {
  readonly control: boolean;
  readonly reuse: boolean;
  resolve(session: Session): void;
  reject(error: unknown): void;
}

/** Shells that wait for a request. Each runs one request; those that ran only our host-side scripts are reused. */
export class SessionPool {
  readonly #source: ChannelSource;
  readonly #sudo: boolean;
  readonly #idleMs: number;
  #idle: Session[] = [];
  readonly #waiters: Waiter[] = [];
  /** Sessions in use for our own scripts. They are returned soon and need no replacement. */
  readonly #lent = new Set<Session>();
  #opening = 0;
  #slow = false;
  /** Whether sshd reports the exit code of a shell that it has not started itself. */
  #exitCodesArrive = false;
  /** Whether sudo lets the shell start other programs. */
  #startsPrograms: boolean;
  #noRefillBefore = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #refillTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(source: ChannelSource, { sudo, idleMs = IDLE_MS }: SessionPoolOptions) {
    this.#source = source;
    this.#sudo = sudo;
    this.#startsPrograms = !sudo;
    this.#idleMs = idleMs;
  }

  /**
   * Returns a session, which the caller must give back or close.
   * @throws AppError if the node cannot be reached or runs no shell, CANCELLED, SHUTTING_DOWN. Nothing was run.
   */
  take({ signal, priority = 'work', reuse = false }: TakeOptions = {}): Promise<Session> {
    if (this.#closed) return Promise.reject(shuttingDown());
    if (signal?.aborted) return Promise.reject(cancelled());
    const ready = this.#pop(reuse);
    if (ready !== undefined) {
      if (reuse) this.#lent.add(ready);
      this.#refillSoon();
      return Promise.resolve(ready);
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (this.#leave(waiter)) waiter.reject(cancelled());
      };
      const done = () => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        control: priority === 'control',
        reuse,
        resolve: (session) => {
          done();
          if (reuse) this.#lent.add(session);
          resolve(session);
        },
        reject: (error) => {
          done();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const behind = waiter.control ? this.#waiters.findIndex(({ control }) => !control) : -1;
      this.#waiters.splice(behind < 0 ? this.#waiters.length : behind, 0, waiter);
      void this.#open(priority);
    });
  }

  /**
   * Takes a session back.
   * @param reusable true if it ran only our host-side scripts, and has reported their end; otherwise it is closed
   */
  giveBack(session: Session, reusable: boolean): void {
    this.#lent.delete(session);
    if (reusable && session.alive && !this.#closed) this.#offer(session);
    else session.close();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#refillTimer);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(shuttingDown());
    for (const session of this.#idle.splice(0)) session.close();
  }

  /** A used session for our scripts, a fresh one for everything else. */
  #pop(reuse: boolean): Session | undefined {
    for (const session of this.#idle.filter(({ alive }) => !alive)) session.close();
    this.#idle = this.#idle.filter(({ alive }) => alive);
    if (!reuse) {
      const fresh = this.#idle.findIndex(({ used }) => !used);
      return this.#idle.splice(Math.max(fresh, 0), 1)[0];
    }
    return this.#idle.pop();
  }

  #leave(waiter: Waiter): boolean {
    const at = this.#waiters.indexOf(waiter);
    if (at >= 0) this.#waiters.splice(at, 1);
    return at >= 0;
  }

  #offer(session: Session): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve(session);
    } else if (this.#closed || this.#idle.length >= this.#wanted) {
      session.close();
    } else {
      session.idleSince = performance.now();
      if (session.used) this.#idle.push(session);
      else this.#idle.unshift(session);
      this.#watchIdle();
    }
    this.#refill();
  }

  get #wanted(): number {
    return this.#slow ? READY_SLOW : READY;
  }

  #refillSoon(): void {
    if (this.#closed) return;
    const ms = this.#idle.length === 0 ? REFILL_DELAY_MS : REFILL_SPARE_MS;
    this.#refillTimer ??= setTimeout(() => this.#refill(), ms).unref();
  }

  /** Opens sessions in advance, as long as no call has to wait because of it. */
  #refill(): void {
    clearTimeout(this.#refillTimer);
    this.#refillTimer = undefined;
    if (performance.now() < this.#noRefillBefore) return;
    while (
      !this.#closed &&
      this.#idle.length + this.#lent.size + this.#opening - this.#waiters.length < this.#wanted &&
      (this.#source.spare ?? 0) > 0
    ) {
      void this.#open('work');
    }
  }

  async #open(priority: 'work' | 'control'): Promise<void> {
    this.#opening++;
    try {
      const session = await this.#connect(priority);
      this.#opening--;
      this.#slow = session.openedInMs > SLOW_MS;
      session.onExit(() => {
        this.#idle = this.#idle.filter((each) => each !== session);
      });
      this.#offer(session);
    } catch (error) {
      this.#opening--;
      this.#noRefillBefore = performance.now() + REFILL_PAUSE_MS;
      // Other sessions that are being opened may serve the waiting calls. If there are too few, one call gets the error.
      if (this.#waiters.length > this.#opening) this.#waiters.shift()?.reject(error);
    }
  }

  /** Retries if the connection is lost or silent, because nothing has been run yet. */
  async #connect(priority: 'work' | 'control'): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        const channel = await this.#source.open(shellLine(this.#sudo), { priority });
        const options = { sudo: this.#sudo, startsProgram: !this.#startsPrograms };
        const session = await unlessSilent(channel.connection, Session.open(channel, options));
        if (session !== 'silent') {
          this.#startsPrograms = true;
          if (session.isDirect || this.#exitCodesArrive) return session;
          if (!(await session.exitCodeArrives())) throw noExitCode();
          this.#exitCodesArrive = true;
          continue;
        }
        channel.connection.distrust();
        channel.close();
        throw disconnected('opening a session');
      } catch (error) {
        const lost = error instanceof AppError && error.code === 'DISCONNECTED';
        if (!lost || attempt === 3 || this.#closed) throw error;
      }
    }
  }

  #watchIdle(): void {
    if (this.#idleTimer !== undefined || this.#idle.length <= 1) return;
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      const before = performance.now() - this.#idleMs;
      for (const session of this.#idle.filter(({ idleSince }) => idleSince <= before)) {
        if (this.#idle.length <= 1) break;
        this.#idle = this.#idle.filter((each) => each !== session);
        session.close();
      }
      this.#watchIdle();
    }, this.#idleMs / 2).unref();
  }
}
