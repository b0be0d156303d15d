import type { AppError } from '../lib/errors.ts';
import { cancelled } from './pool-errors.ts';
import type { RemoteChannel } from './ssh-types.ts';

/** An open that waits for a session, or for the answer of sshd to it. */
export interface Waiter {
  readonly command: string;
  readonly control: boolean;
  readonly signal: AbortSignal | undefined;
  /** `performance.now()` of its arrival. */
  readonly since: number;
  /** Connections that have failed under it. */
  failures: number;
  readonly resolve: (channel: RemoteChannel) => void;
  readonly reject: (error: AppError) => void;
}

/** Those who wait for a session: control first, then who came first. An aborted signal takes its waiter out. */
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

  /** Adds a newcomer; settles with what its waiter is resolved or rejected with. */
  join(command: string, control: boolean, signal: AbortSignal | undefined): Promise<RemoteChannel> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        // When it is being opened, its connection sees to the signal.
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

  /** Puts a waiter where it belongs by its age, also one whose first try has failed. */
  enter(waiter: Waiter): void {
    const index = this.#waiters.findIndex((other) =>
      waiter.control === other.control ? waiter.since < other.since : waiter.control,
    );
    this.#waiters.splice(index < 0 ? this.#waiters.length : index, 0, waiter);
  }

  /** Takes a waiter out; false if it was not waiting. */
  leave(waiter: Waiter): boolean {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
    return index >= 0;
  }

  rejectAll(error: AppError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
