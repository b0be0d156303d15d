import { KEEPALIVE_MS } from '../ssh/connect.ts';
import type { ChannelConnection } from '../ssh/ssh-types.ts';

/** Time, in ms, by which a keepalive request has been answered. */
const SILENCE_MS = 1.5 * KEEPALIVE_MS;

/** Calls back when nothing has arrived over a connection for too long, from now on. @returns a function that stops it */
export function onSilence(connection: ChannelConnection, silent: () => void): () => void {
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const silence = () => Math.min(performance.now() - since, connection.silentMs);
  const check = () => {
    if (stopped) return;
    if (silence() >= SILENCE_MS) silent();
    // After a pause of this process, data may be waiting in the socket.
    else timer = setTimeout(() => setImmediate(check), SILENCE_MS - silence() + 1);
  };
  check();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Waits for `work`, but not longer than data arrives over the connection. */
export async function unlessSilent<T>(
  connection: ChannelConnection,
  work: Promise<T>,
): Promise<T | 'silent'> {
  let stop = () => {};
  const silence = new Promise<'silent'>((resolve) => {
    stop = onSilence(connection, () => resolve('silent'));
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    stop();
  }
}
