import { AppError } from '../../../lib/errors.ts';
import type { ClosableChannelSource } from '../../../proxmox/cluster.ts';
import { KEEPALIVE_MS } from '../../../ssh/connect.ts';
import { Connection } from '../../../ssh/connection.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshLogger } from '../../../ssh/logger.ts';
import type { RemoteChannel, SshTarget } from '../../../ssh/ssh-types.ts';

/** The host keys and logins seen while connecting, one per hop. */
export interface SeenWhileConnecting {
  readonly hostKeys: { readonly target: SshTarget; readonly seen: SeenHostKey; readonly atMs: number }[];
  readonly logins: { readonly target: SshTarget; readonly method: string; readonly atMs: number }[];
}

const SILENT: SshLogger = { debug: () => {}, info: () => {}, warn: () => {} };

/**
 * Connects once, without the retries of the pool, so that every failure is reported. `seen` is filled even on failure.
 * @throws AppError the same errors as `Connection.connect`
 */
export async function connectOnce(
  target: SshTarget,
  seen: SeenWhileConnecting,
  signal: AbortSignal,
): Promise<ClosableChannelSource> {
  const startedAt = performance.now();
  const atMs = () => Math.round(performance.now() - startedAt);
  const connection = await Connection.connect(target, {
    logger: SILENT,
    readyTimeoutMs: 15_000,
    keepaliveMs: KEEPALIVE_MS,
    deadAfterMs: 26_000,
    openTimeoutMs: 5000,
    maxSessions: 10,
    signal,
    onChange: () => {},
    // A banner may contain a link that the user must open, so it is also printed with --json.
    onBanner: (text) => {
      if (text !== null) process.stderr.write(`\n${text}\n`);
    },
    observer: {
      hostKey: (hop, key) => void seen.hostKeys.push({ target: hop, seen: key, atMs: atMs() }),
      login: (hop, method) => void seen.logins.push({ target: hop, method, atMs: atMs() }),
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
      throw new AppError('CANCELLED', 'The check was cancelled.', 'Nothing was changed.');
    case 'refused':
    case 'rejected':
      throw new AppError(
        'SSH_NO_SESSION',
        `The login to ${target.host} works, but it does not open a session${outcome.kind === 'refused' ? ` (${outcome.why})` : ''}.`,
        'Check MaxSessions, ForceCommand and the login shell of this user on the node.',
      );
    default:
      throw new AppError(
        'DISCONNECTED',
        `The connection to ${target.host} was lost.`,
        'Try again. If it happens often, check the network and sshd on the node.',
      );
  }
}
