import { AppError } from '../lib/errors.ts';

/**
 * A program did not start, although its request did. The code that knows the target determines the reason and converts this
 * error to an AppError.
 */
export class CommandNotStarted extends Error {
  /** The exit code from sshd; lxc-attach exits with 1 for each of its own errors. */
  readonly code: number | null;
  readonly stderr: string;

  constructor(code: number | null, stderr: string) {
    super(`did not start (code ${code})`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** The connection was lost during an operation that changes nothing itself. @param doing completes "lost while …" */
export function disconnected(doing: string): AppError {
  return new AppError(
    'DISCONNECTED',
    `The connection to the node was lost while ${doing}.`,
    'Call again: the next call opens a new connection.',
  );
}

/** The connection was lost after a command was sent and before the node confirmed its start. */
export function startUnconfirmed(): AppError {
  return new AppError(
    'DISCONNECTED',
    'The connection to the node was lost while the command was being started, so the command may be running or not.',
    'Check the effects of the command before you repeat it. The next call opens a new connection.',
  );
}

/** The node has stopped answering after a command was sent and before it confirmed its start. */
export function silentAtStart(): AppError {
  return new AppError(
    'DISCONNECTED',
    'The node has stopped answering since the command was sent, so the command may be running or not.',
    'Check the node and the network. Check the effects of the command before you repeat it.',
  );
}

/** The node has stopped answering, and accepts no new connection in time. */
export function nodeSilent(): AppError {
  return new AppError(
    'DISCONNECTED',
    'The connection to the node carries no more data, and the node accepts no other one.',
    'Check the node and the network. If the call had begun to change something, check its effects before you repeat it.',
  );
}
