import type { Notices } from '../lib/notices.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { ProgressNote } from './progress.ts';

type Notify = (note: ProgressNote) => Promise<void>;

/** The interval at which a notice is repeated, so that the client does not time the call out. */
const REPEAT_MS = 5000;

/** The progress of one call, including notices during the call. */
export interface NoticedProgress {
  readonly notify: Notify;
  /** Nothing is sent after this has resolved. */
  stop(): Promise<void>;
}

/** Adds `notices` to the progress messages of `notify`, and sends them alone if there are no other messages. */
export function forwardNotices(
  notify: Notify,
  notices: Pick<Notices, 'subscribe'>,
  redactor: Pick<Redactor, 'show'>,
): NoticedProgress {
  let last = 0;
  let notice: string | null = null;
  let sending: Promise<void> = Promise.resolve();
  let repeat: NodeJS.Timeout | undefined;
  const send: Notify = ({ progress, message, ...rest }) => {
    // The protocol requires that each progress value is larger than the previous one.
    last = progress > last ? progress : last + Math.max(0.001, last * 1e-12);
    const text = notice === null ? message : `${message}; ${notice}`;
    return notify({ ...rest, progress: last, message: text });
  };
  const tell = () => {
    sending = send({ progress: 0, message: 'waiting for the SSH login' }).catch(() => {});
  };
  const unsubscribe = notices.subscribe((text) => {
    notice = text === null ? null : redactor.show(text);
    clearInterval(repeat);
    if (notice === null) return;
    tell();
    repeat = setInterval(tell, REPEAT_MS);
  });
  return {
    notify: send,
    async stop() {
      unsubscribe();
      clearInterval(repeat);
      await sending;
    },
  };
}
