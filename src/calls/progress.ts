import type { Redactor } from '../lib/redactor.ts';

/** One note to the client, as `notifications/progress` carries it. */
export interface ProgressNote {
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
}

export interface ProgressReporter {
  /** Keeps the latest word; it is sent with the next tick. */
  update(message: string, done?: number, total?: number): void;
  /** No note is sent after this has resolved: one that overtakes the result may be lost with it. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 1000;

/** Reports on a call once a second from its first full second on, with one timer. */
export function startProgress(
  send: (note: ProgressNote) => Promise<void>,
  redactor: Pick<Redactor, 'show'>,
): ProgressReporter {
  const startedAt = performance.now();
  let latest: { message: string; done?: number; total?: number } = { message: '' };
  let last = 0;
  let sending: Promise<void> = Promise.resolve();
  let busy = false;
  const tick = () => {
    // The client does not read: more notes would only pile up in memory.
    if (busy) return;
    busy = true;
    const elapsed = Math.round((performance.now() - startedAt) / 1000);
    // The protocol wants every value to be larger than the one before, also while nothing moves.
    last = Math.max(latest.done ?? elapsed, last + Math.max(0.001, last * 1e-12));
    const detail = latest.message === '' ? '' : `, ${latest.message}`;
    const note = {
      progress: last,
      ...(latest.total === undefined ? {} : { total: latest.total }),
      message: redactor.show(`running for ${elapsed} s${detail}`),
    };
    // A client that is gone is noticed by the call itself.
    sending = send(note)
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  };
  const timer = setInterval(tick, INTERVAL_MS);
  return {
    update(message, done, total) {
      latest = {
        message,
        ...(done === undefined ? {} : { done }),
        ...(total === undefined ? {} : { total }),
      };
    },
    stop() {
      clearInterval(timer);
      return sending;
    },
  };
}
