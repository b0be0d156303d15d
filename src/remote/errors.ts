import { AppError } from '../lib/errors.ts';

/**
 * A program never began, although its request was started. Whoever knows the target finds out why and turns it into an
 * AppError.
 */
export class CommandNotStarted extends Error {
  /** What sshd reported; lxc-attach says 1 for every failure of its own. */
  readonly code: number | null;
  readonly stderr: string;

  constructor(code: number | null, stderr: string) {
    super(`did not start (code ${code})`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** The connection was lost while something of ours, which changes nothing by itself, was under way. */
export function disconnected(doing: string): AppError {
  return new AppError(
    'DISCONNECTED',
    `The connection to the node was lost while ${doing}.`,
    'Call again: the next call opens a new connection.',
  );
}
