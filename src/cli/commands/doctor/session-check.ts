import { AppError } from '../../../lib/errors.ts';
import type { ClosableChannelSource } from '../../../proxmox/cluster.ts';
import { Connection } from '../../../ssh/connection.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshLogger } from '../../../ssh/logger.ts';
import type { RemoteChannel, SshTarget } from '../../../ssh/ssh-types.ts';

/** What was learnt while connecting, hop by hop. */
export interface Learnt {
  readonly hostKeys: { readonly target: SshTarget; readonly seen: SeenHostKey; readonly atMs: number }[];
  readonly logins: { readonly target: SshTarget; readonly method: string; readonly atMs: number }[];
}

const SILENT: SshLogger = { debug: () => {}, info: () => {}, warn: () => {} };

/**
 * Connects once, without the patience of the pool: what goes wrong shall show. `learnt` is filled even when it fails.
 * @throws AppError as dialling does.
 */
export async function connectOnce(
  target: SshTarget,
  learnt: Learnt,
  signal: AbortSignal,
): Promise<ClosableChannelSource> {
  const startedAt = performance.now();
  const atMs = () => Math.round(performance.now() - startedAt);
  const connection = await Connection.connect(target, {
    logger: SILENT,
    readyTimeoutMs: 15_000,
    keepaliveMs: 7000,
    deadAfterMs: 26_000,
    openTimeoutMs: 5000,
    maxSessions: 10,
    signal,
    onChange: () => {},
    // It may ask a person to open a link: with --json as well, where nothing else is shown.
    onBanner: (text) => {
      if (text !== null) process.stderr.write(`\n${text}\n`);
    },
    observer: {
      hostKey: (hop, seen) => void learnt.hostKeys.push({ target: hop, seen, atMs: atMs() }),
      login: (hop, method) => void learnt.logins.push({ target: hop, method, atMs: atMs() }),
    },
  });
  return {
    get connections() {
      return connection.usable ? 1 : 0;
    },
    open: (command, options) => open(connection, target, command, options?.signal),
    close: () => connection.close(),
  };
}

async function open(
  connection: Connection,
  target: SshTarget,
  command: string,
  signal: AbortSignal | undefined,
): Promise<RemoteChannel> {
  const outcome = await connection.open(command, signal);
  switch (outcome.kind) {
    case 'open':
      return outcome.channel;
    case 'cancelled':
      throw new AppError('CANCELLED', 'The examination was cancelled.', 'Nothing was changed.');
    case 'refused':
    case 'rejected':
      throw new AppError(
        'SSH_NO_SESSION',
        `${target.host} lets us log in, but opens no session${outcome.kind === 'refused' ? ` (${outcome.why})` : ''}.`,
        'Look at MaxSessions, ForceCommand and the login shell of this user on the node.',
      );
    default:
      throw new AppError(
        'DISCONNECTED',
        `The connection to ${target.host} was lost.`,
        'Try again; if it happens often, look at the network and at sshd on the node.',
      );
  }
}
