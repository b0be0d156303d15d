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
