import type { Redactor } from '../lib/redactor.ts';

/** One progress notification (`notifications/progress`). */
export interface ProgressNote {
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
}

export interface ProgressReporter {
  /** Sets the message that is sent with the next tick. */
  update(message: string, done?: number, total?: number, recent?: () => string): void;
  /** No notification is sent after this has resolved, because clients may drop one that arrives after the result. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 1000;

/** Reports the progress of a call once a second, beginning after one second. */
export function startProgress(
  send: (note: ProgressNote) => Promise<void>,
  redactor: Pick<Redactor, 'show'>,
): ProgressReporter {
  const startedAt = performance.now();
  let latest: { message: string; done?: number; total?: number; recent?: () => string } = { message: '' };
  let last = 0;
  let sending: Promise<void> = Promise.resolve();
  let busy = false;
  const tick = () => {
    // The client does not read: more notifications would only accumulate in memory.
    if (busy) return;
    busy = true;
    const elapsed = Math.round((performance.now() - startedAt) / 1000);
    // The protocol requires that each value is larger than the previous one, even without progress.
    last = Math.max(latest.done ?? elapsed, last + Math.max(0.001, last * 1e-12));
    const detail = latest.message === '' ? '' : `, ${latest.message}`;
    const note = {
      progress: last,
      ...(latest.total === undefined ? {} : { total: latest.total }),
      message: redactor.show(`running for ${elapsed} s${detail}`) + lastLine(latest.recent?.(), redactor),
    };
    // The call itself detects that the client has disconnected.
    sending = send(note)
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  };
  const timer = setInterval(tick, INTERVAL_MS);
  return {
    update(message, done, total, recent) {
      latest = {
        message,
        ...(recent === undefined ? {} : { recent }),
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

/** Characters of the last line that are sent. */
const MAX_LINE = 200;

/** The last line of an output that is not empty, redacted together with what precedes it. */
function lastLine(recent: string | undefined, redactor: Pick<Redactor, 'show'>): string {
  if (recent === undefined) return '';
  // A word that is not finished yet may be the beginning of a secret.
  const finished = recent.replace(/\S{1,4096}$/, '').trimEnd();
  const line =
    redactor
      .show(finished)
      .split(/[\r\n]/)
      .at(-1)
      ?.trim() ?? '';
  if (line === '') return '';
  return `: ${line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line}`;
}
