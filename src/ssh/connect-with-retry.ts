import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from './connect-errors.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { SshTarget } from './ssh-types.ts';

/** Pauses, in ms, before a connection that sshd dropped is tried again. */
const DROPPED_PAUSES_MS = [100, 300, 900];

/** Connects, and tries again if sshd drops the connection because of MaxStartups. @throws AppError as `connect` does. */
export async function connectWithRetry(target: SshTarget, options: ConnectionOptions): Promise<Connection> {
  for (const pause of DROPPED_PAUSES_MS) {
    try {
      return await Connection.connect(target, options);
    } catch (error) {
      if (!(error instanceof UnreachableError && error.droppedEarly)) throw error;
      options.logger.debug(`${error.message} Trying again in ${pause} ms.`);
      // Random, so that clients that were dropped together do not all return at the same moment.
      const spread = pause * (0.5 + Math.random());
      await sleep(spread, undefined, { signal: options.signal }).catch(() => {});
    }
  }
  return Connection.connect(target, options);
}
