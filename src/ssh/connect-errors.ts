import { errnoOf } from '../lib/errno.ts';
import { AppError, messageOf } from '../lib/errors.ts';
import { deniedByMacos, MACOS_HINT } from './local-network.ts';
import type { SshTarget } from './ssh-types.ts';

/** SSH_UNREACHABLE, with what the pool needs to know about it. */
export class UnreachableError extends AppError {
  /** Hung up on before it sent its banner, as sshd does when too many are logging in at once (MaxStartups). */
  readonly droppedEarly: boolean;

  constructor(
    target: SshTarget,
    why: string,
    hint: string,
    options: { cause?: unknown; droppedEarly?: boolean } = {},
  ) {
    super(
      'SSH_UNREACHABLE',
      `Cannot reach ${target.host} port ${target.port} by SSH: ${why}.`,
      hint,
      options,
    );
    this.droppedEarly = options.droppedEarly ?? false;
  }
}

/** Turns what ssh2, the socket or a jump host reported before the login began into an AppError. */
export function unreachable(
  target: SshTarget,
  error: unknown,
  timeoutMs: number,
  platform: NodeJS.Platform = process.platform,
): UnreachableError {
  const tryIt = `try "ssh -p ${target.port} ${target.username}@${target.host}"`;
  const known = KNOWN[systemCode(error) ?? ''];
  if (known) {
    const denied = deniedByMacos(error, target.host, platform) ? ` ${MACOS_HINT}.` : '';
    return new UnreachableError(target, known.why, `${known.hint}; ${tryIt}.${denied}`, { cause: error });
  }
  const message = messageOf(error);
  if (/before handshake/.test(message) || ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')) {
    return new UnreachableError(
      target,
      'it hung up before it said hello',
      `It may be overloaded, ban this address (fail2ban, MaxStartups) or not be an SSH server (SSH_PORT); ${tryIt}.`,
      { cause: error, droppedEarly: true },
    );
  }
  if (/^Timed out/.test(message)) {
    return new UnreachableError(
      target,
      `no answer within ${timeoutMs / 1000} s`,
      `Check HOST and SSH_PORT and that no firewall drops the packets; ${tryIt}.`,
      { cause: error },
    );
  }
  return new UnreachableError(
    target,
    message.replace(/\.$/, ''),
    `If the two sides agree on no algorithm, update the SSH server; otherwise ${tryIt}.`,
    { cause: error },
  );
}

/** A jump host that was reached, but does not lead on to `target`. */
export function noWayThrough(target: SshTarget, jump: SshTarget, why: string): UnreachableError {
  return new UnreachableError(
    target,
    `the jump host ${jump.host} does not lead there (${why})`,
    `Check SSH_JUMP, that HOST is reachable from ${jump.host}, and that its sshd allows AllowTcpForwarding.`,
  );
}

const KNOWN: Readonly<Record<string, { why: string; hint: string }>> = {
  ECONNREFUSED: {
    why: 'the connection was refused',
    hint: 'Check SSH_PORT and that sshd runs on the host',
  },
  ENOTFOUND: { why: 'the name is not known', hint: 'Check HOST' },
  EAI_AGAIN: { why: 'the name cannot be looked up now', hint: 'Check HOST and the DNS of this machine' },
  ETIMEDOUT: { why: 'no answer', hint: 'Check HOST and that no firewall drops the packets' },
  EHOSTUNREACH: { why: 'there is no route to the host', hint: 'Check HOST, that it is up, and the network' },
  ENETUNREACH: {
    why: 'there is no route to its network',
    hint: 'Check HOST and the network of this machine',
  },
};

function systemCode(error: unknown): string | undefined {
  // Several addresses of one name, all failed: the first tells as much as all.
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  return errnoOf(error);
}
