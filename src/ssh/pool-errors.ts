import { AppError } from '../lib/errors.ts';
import type { SshTarget } from './ssh-types.ts';

function where(target: SshTarget): string {
  return `${target.username}@${target.host}:${target.port}`;
}

/** sshd lets us in, but runs no commands. */
export function noSession(target: SshTarget, why: string): AppError {
  return new AppError(
    'SSH_NO_SESSION',
    `${where(target)} does not let commands run: ${why}.`,
    'Check MaxSessions and ForceCommand in its sshd_config, and the options of the key in authorized_keys.',
  );
}

/** The command was sent, and the answer to it is missing. */
export function unconfirmed(target: SshTarget): AppError {
  return new AppError(
    'DISCONNECTED',
    `${where(target)} did not confirm a command that was sent to it, so it may be running or not.`,
    'Look at its effects before running it again.',
  );
}

/** Connection after connection was lost before the command could be sent. */
export function unstable(target: SshTarget, times: number): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `The connection to ${where(target)} was lost ${times} times before the command could be sent.`,
    'Nothing was run. Check the network and the log of sshd on the host, then try again.',
  );
}

export function cancelled(): AppError {
  return new AppError(
    'CANCELLED',
    'The call was cancelled before its command was sent.',
    'Nothing was run; call again if it is still wanted.',
  );
}

export function shuttingDown(): AppError {
  return new AppError(
    'SHUTTING_DOWN',
    'The server is shutting down.',
    'Nothing was run; start the server again.',
  );
}

export function internal(error: unknown): AppError {
  return new AppError(
    'INTERNAL',
    'Connecting failed for an unexpected reason.',
    'See the log of this server.',
    {
      cause: error,
    },
  );
}
