import { firstOf } from '../lib/waits.ts';
import type { RemoteChannel } from '../ssh/ssh-types.ts';
import { Handshake, type Opened, type SessionOptions, SHELL } from './handshake.ts';
import { disconnected } from './remote-errors.ts';
import { noShell } from './session-errors.ts';

/** How long a login shell may take, in ms, until `/bin/sh` responds. */
const LOGIN_LIMIT_MS = 10_000;
/** An exit code that other programs rarely have, and how long, in ms, a shell may take to exit with it. */
const TEST_CODE = 94;
const EXIT_LIMIT_MS = 10_000;

/** The line that starts a session's shell. Every login shell understands it, including fish and csh. */
export function shellLine(sudo: boolean): string {
  return sudo ? `exec sudo -n ${SHELL}` : `exec ${SHELL}`;
}

/** A shell on one SSH channel that has completed the handshake. It waits for a request on its stdin. */
export class Session {
  readonly channel: RemoteChannel;
  /** How long the shell took to respond, in ms. */
  readonly openedInMs: number;
  /** Identifies the time since the last start of the node; empty if the node does not tell it. */
  readonly bootId: string;
  readonly #uptimeS: number;
  readonly #uptimeAt: number;
  /** The question of a start-up file that reads stdin; empty if it prints none. null: no start-up file reads stdin. */
  readonly asked: string | null;
  /** Whether the shell's exit code becomes that of the channel. If not, another program is between it and sshd, such as a shell. */
  readonly isDirect: boolean;
  #alive = true;
  readonly #onExit = new Set<() => void>();
  readonly #onClose = new Set<() => void>();
  #closed = false;
  /** Whether it has run a request. */
  used = false;
  idleSince = performance.now();

  private constructor(channel: RemoteChannel, opened: Omit<Opened, 'ok'>, ms: number) {
    this.channel = channel;
    this.openedInMs = ms;
    this.asked = opened.asked;
    this.isDirect = opened.isDirect;
    this.bootId = opened.bootId;
    this.#uptimeS = opened.uptimeS;
    this.#uptimeAt = performance.now();
    void channel.exited.then(() => {
      this.#alive = false;
      for (const listener of this.#onExit) listener();
    });
    void channel.closed.then(() => {
      this.#closed = true;
      for (const listener of this.#onClose) listener();
    });
  }

  /**
   * Waits until the shell on `channel` responds.
   * @throws AppError SSH_NO_SESSION or PERMISSION_DENIED with the reason why no shell responds; DISCONNECTED
   */
  static async open(channel: RemoteChannel, options: SessionOptions): Promise<Session> {
    const startedAt = performance.now();
    const answer = await new Handshake(channel, options).run(options.limitMs ?? LOGIN_LIMIT_MS);
    if (answer.ok) return new Session(channel, answer, performance.now() - startedAt);
    channel.close();
    throw noShell(answer.trouble, options.sudo);
  }

  /** Whether its shell can probably still accept a request. */
  get alive(): boolean {
    return this.#alive && this.channel.connection.usable;
  }

  /**
   * Calls back when the shell has exited. A session lives long and runs many scripts: what waits for a promise of its channel
   * would be kept in memory until the session ends.
   * @returns a function that stops it
   */
  onExit(listener: () => void): () => void {
    if (this.#alive) this.#onExit.add(listener);
    else queueMicrotask(listener);
    return () => this.#onExit.delete(listener);
  }

  /** The same when the channel has closed and its output has been read. */
  onClose(listener: () => void): () => void {
    if (this.#closed) queueMicrotask(listener);
    else this.#onClose.add(listener);
    return () => this.#onClose.delete(listener);
  }

  /** Clock ticks since the node's boot (100 per second on Linux), never later than the actual value on the node. */
  ticks(): number {
    const elapsedS = (performance.now() - this.#uptimeAt) / 1000;
    // The factor allows for clock drift between the machines of some seconds a day.
    return Math.floor(100 * (this.#uptimeS + elapsedS * 0.9999));
  }

  /** Sends a request. After a request other than our host-side scripts, no further one may be sent. */
  send(request: string): void {
    this.used = true;
    this.channel.stdin.write(`${request}\n`);
  }

  /** Ends the shell with an exit code of its own. @returns whether sshd reports that code @throws AppError DISCONNECTED */
  async exitCodeArrives(): Promise<boolean> {
    this.send(`exit ${TEST_CODE}`);
    this.channel.stdin.end();
    this.channel.stdout.resume();
    this.channel.stderr.resume();
    const ended = await firstOf(this.channel.exited, EXIT_LIMIT_MS, undefined);
    const isLost = !this.channel.connection.usable;
    this.close();
    if (isLost) throw disconnected('opening a session');
    return typeof ended !== 'string' && ended.code === TEST_CODE;
  }

  /** Ends the shell by ending its input. A program that it runs continues. */
  close(): void {
    this.#alive = false;
    this.channel.close();
  }
}
