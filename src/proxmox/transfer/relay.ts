import type { AppError } from '../../lib/errors.ts';
import type { TransferSession } from './transfer-session.ts';

export interface RelayOptions {
  /** Bytes that the sender has announced. */
  readonly size: number;
  /** The error if the sender has more or fewer bytes. */
  readonly changed: AppError;
  /** All bytes were sent. */
  readonly onSent: (sender: TransferSession, receiver: TransferSession) => void;
  readonly onProgress: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/**
 * Passes on the bytes of one session to another, as fast as the receiver takes them, and never more than announced: what the
 * sender, which may be in a hostile container, writes after them cannot be taken for the verdict.
 * @returns the fields of the receiver's `done` and of the sender's report
 * @throws AppError of the side that failed; the caller abandons both
 */
export async function relay(
  sender: TransferSession,
  receiver: TransferSession,
  { size, changed, onSent, onProgress }: RelayOptions,
): Promise<readonly [readonly string[], readonly string[]]> {
  const { stdin } = receiver;
  let done = 0;
  let over = false;
  const pump = async () => {
    while (done < size) {
      const chunk = await sender.read();
      if (chunk === null || over) return;
      const bytes = chunk.subarray(0, size - done);
      done += bytes.length;
      const room = stdin.write(bytes);
      touch();
      onProgress?.(done, size);
      if (bytes.length < chunk.length) throw changed;
      if (room) continue;
      await new Promise<void>((resolve) => stdin.once('drain', resolve));
      touch();
    }
  };
  const touch = () => {
    sender.touch();
    receiver.touch();
  };
  // Read from the beginning: if the receiver fails during the transfer, it sends the reason here.
  const report = receiver.expect('done');
  const early = report.then(() => {
    if (done < size) throw receiver.violation('it reported the end before all bytes were sent');
  });
  try {
    await receiver.guard(sender.guard(Promise.race([pump(), early])));
  } finally {
    over = true;
  }
  if (done < size) {
    await sender.sent(changed);
    throw changed;
  }
  onSent(sender, receiver);
  return Promise.all([report, sender.sent(changed)]);
}
