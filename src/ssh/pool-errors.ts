import { AppError, type ErrorCode } from '../lib/errors.ts';
import type { SshTarget } from './ssh-types.ts';

function where(target: SshTarget): string {
  return `${target.username}@${target.host}:${target.port}`;
}

/** The login succeeded, but sshd runs no commands. */
export function noSession(target: SshTarget, why: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    `${where(target)} runs no commands: ${why}.`,
    'Check MaxSessions and ForceCommand in sshd_config there, and the options of the key in authorized_keys.',
  );
}

/** The command was sent, but sshd did not answer. */
export function unconfirmed(target: SshTarget): AppError {
  return new AppError(
    'DISCONNECTED',
    `${where(target)} did not confirm that it started the command, so the command may be running or not.`,
    'Check the effects of the command before you run it again.',
  );
}

/** Several connections in a row were lost before the command could be sent. */
export function unstable(target: SshTarget, times: number): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `The connection to ${where(target)} was lost ${times} times before the command could be sent.`,
    'The command was not executed. Check the network and the log of sshd on the host, then call again.',
  );
}

export function cancelled(): AppError {
  return new AppError(
    'CANCELLED',
    'The call was cancelled before its command was sent. The command was not executed.',
    'Call again if the command is still needed.',
  );
}

export function shuttingDown(): AppError {
  return new AppError(
    'SHUTTING_DOWN',
    'The server is shutting down. The command was not executed.',
    'Call again after the server has been restarted.',
  );
}

export function internal(error: unknown): AppError {
  return new AppError(
    'INTERNAL',
    'The SSH connection failed because of an internal error.',
    {
      model: 'Report this to the user: it is a bug, and the log of this server has the details.',
      person: 'This is a bug. Please report it with the log entry, which has the details.',
    },
    { cause: error },
  );
}

/** Codes of `SshPool.open` that mean: this server cannot be used now, and nothing was sent to it. */
const NOT_CONNECTED: readonly ErrorCode[] = [
  'SSH_UNREACHABLE',
  'SSH_AUTH_FAILED',
  'SSH_KEY_UNUSABLE',
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'SSH_NO_SESSION',
];

/** Whether an error means that a server cannot be used now, and that nothing was sent to it. */
export function isNotConnected(error: unknown): error is AppError {
  return error instanceof AppError && NOT_CONNECTED.includes(error.code);
}
