import { errnoOf } from '../lib/errno.ts';
import { AppError, messageOf } from '../lib/errors.ts';
import { deniedByMacos, MACOS_HINT } from './local-network.ts';
import type { SshTarget } from './ssh-types.ts';

/** SSH_UNREACHABLE, with the detail that the pool needs for its retries. */
export class UnreachableError extends AppError {
  /** The server closed the connection before it identified itself, as sshd does at too many concurrent logins (MaxStartups). */
  readonly droppedEarly: boolean;

  constructor(
    target: SshTarget,
    why: string,
    hint: string,
    options: { cause?: unknown; droppedEarly?: boolean } = {},
  ) {
    super(
      'SSH_UNREACHABLE',
      `Cannot connect to ${target.host} port ${target.port} by SSH: ${why}.`,
      hint,
      options,
    );
    this.droppedEarly = options.droppedEarly ?? false;
  }
}

/** The port of the web interface of Proxmox VE, which is often taken for that of SSH. */
export const WEB_PORT = 8006;
const WEB_PORT_HINT =
  'Port 8006 is the web interface of Proxmox VE. SSH uses port 22 by default: set SSH_PORT=22, or the port of sshd.';

/** The AppError for an error of ssh2, the socket or a jump host before the login began. */
export function unreachable(
  target: SshTarget,
  error: unknown,
  timeoutMs: number,
  platform: NodeJS.Platform = process.platform,
): UnreachableError {
  const tryIt = `try "ssh -p ${target.port} ${target.username}@${target.host}".`;
  const byPort = (hint: string) => (target.port === WEB_PORT ? WEB_PORT_HINT : `${hint}; ${tryIt}`);
  const known = KNOWN[systemCode(error) ?? ''];
  if (known) {
    const denied = deniedByMacos(error, target.host, platform) ? ` ${MACOS_HINT}.` : '';
    const hint = known.hint.includes('SSH_PORT') ? byPort(known.hint) : `${known.hint}; ${tryIt}`;
    return new UnreachableError(target, known.why, `${hint}${denied}`, { cause: error });
  }
  const message = messageOf(error);
  if (/before handshake/.test(message) || ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')) {
    return new UnreachableError(
      target,
      'the server closed the connection before it identified itself',
      byPort(
        'The server may be overloaded (MaxStartups), may block this address (fail2ban) or may not be an SSH server (SSH_PORT)',
      ),
      { cause: error, droppedEarly: true },
    );
  }
  if (/^Timed out/.test(message)) {
    return new UnreachableError(
      target,
      `no answer within ${timeoutMs / 1000} s`,
      byPort('Check PROXMOX_HOST, SSH_PORT and the firewalls on the path'),
      { cause: error },
    );
  }
  return new UnreachableError(
    target,
    message.replace(/\.$/, ''),
    `If client and server have no algorithm in common, update the SSH server; otherwise ${tryIt}`,
    { cause: error },
  );
}

/**
 * The AppError for a login that the server neither accepted nor refused: it did not answer in time, or the connection was lost.
 * @param banner the server's banner; empty if it sent none
 */
export function loginUnfinished(target: SshTarget, error: Error, banner: string): UnreachableError {
  const said = banner === '' ? '' : `; its banner is: "${banner}"`;
  return new UnreachableError(
    target,
    `the server answered, but the login did not end (${error.message.replace(/^Timed out: /, '')})${said}`,
    `The server may be overloaded, or wait for DNS (UseDNS), PAM or a home directory: check its load, and try "ssh -v -p ${target.port} ${target.username}@${target.host}".`,
    { cause: error },
  );
}

/** Whether an error of the login says nothing about its methods: a timeout or a lost connection. */
export function isInterruption(error: Error & { readonly level?: string }): boolean {
  return (
    error.level === 'client-socket' || /^Timed out|^the server closed the connection$/.test(error.message)
  );
}

/** The jump host was reached, but cannot connect to `target`. */
export function jumpHostFailed(target: SshTarget, jump: SshTarget, why: string): UnreachableError {
  return new UnreachableError(
    target,
    `the jump host ${jump.host} cannot connect to it (${why})`,
    `Check SSH_JUMP, that ${target.host} is reachable from ${jump.host}, and that the sshd there has AllowTcpForwarding enabled.`,
  );
}

const KNOWN: Readonly<Record<string, { why: string; hint: string }>> = {
  ECONNREFUSED: {
    why: 'the connection was refused',
    hint: 'Check the port (SSH_PORT), and that sshd runs on the host',
  },
  ENOTFOUND: { why: 'the host name does not exist', hint: 'Check PROXMOX_HOST' },
  EAI_AGAIN: {
    why: 'the DNS lookup failed',
    hint: 'Check PROXMOX_HOST and the DNS settings of this machine',
  },
  ETIMEDOUT: { why: 'no answer', hint: 'Check PROXMOX_HOST and the firewalls on the path' },
  EHOSTUNREACH: {
    why: 'there is no route to the host',
    hint: 'Check PROXMOX_HOST, that the host is up, and the network',
  },
  ENETUNREACH: {
    why: 'there is no route to its network',
    hint: 'Check PROXMOX_HOST and the network of this machine',
  },
};

function systemCode(error: unknown): string | undefined {
  // All addresses of the name failed. The first error is enough to explain it.
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  return errnoOf(error);
}
