import type { AppError } from '../lib/errors.ts';
import { cancelled } from './pool-errors.ts';
import type { RemoteChannel } from './ssh-types.ts';

/** An open that waits for a session, or for sshd's answer to it. */
export interface Waiter {
  readonly command: string;
  readonly control: boolean;
  readonly signal: AbortSignal | undefined;
  /** `performance.now()` of its arrival. */
  readonly since: number;
  /** Number of connections that were lost before its command was sent. */
  failures: number;
  readonly resolve: (channel: RemoteChannel) => void;
  readonly reject: (error: AppError) => void;
}

/** The opens that wait for a session: `control` first, then by arrival. An aborted signal removes its waiter. */
export class SessionQueue {
  readonly #waiters: Waiter[] = [];

  get length(): number {
    return this.#waiters.length;
  }

  get first(): Waiter | undefined {
    return this.#waiters[0];
  }

  /** How many have waited since `time` or longer. */
  countSince(time: number): number {
    return this.#waiters.filter(({ since }) => since <= time).length;
  }

  /** Adds a new waiter. The promise settles as its waiter does. */
  join(command: string, control: boolean, signal: AbortSignal | undefined): Promise<RemoteChannel> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        // Once its session is being opened, the connection handles the signal.
        if (this.leave(waiter)) waiter.reject(cancelled());
      };
      const settled = () => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        command,
        control,
        signal,
        since: performance.now(),
        failures: 0,
        resolve(channel) {
          settled();
          resolve(channel);
        },
        reject(error) {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.enter(waiter);
    });
  }

  /** Inserts a waiter by its age, also one whose first attempt has failed. */
  enter(waiter: Waiter): void {
    const index = this.#waiters.findIndex((other) =>
      waiter.control === other.control ? waiter.since < other.since : waiter.control,
    );
    this.#waiters.splice(index < 0 ? this.#waiters.length : index, 0, waiter);
  }

  /** Removes a waiter; false if it was not waiting. */
  leave(waiter: Waiter): boolean {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
    return index >= 0;
  }

  rejectAll(error: AppError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
