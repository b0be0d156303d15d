import { AppError } from '../lib/errors.ts';
/**
 * What was to run never began; thrown by who noticed, and turned into an AppError by who knows the place and
 * can find out why. As nothing has run, another way in may be tried.
 */
export class CommandNotStarted extends Error {
  /** What sshd reported; tells little, as lxc-attach and sudo say 1 for everything. */
  readonly code: number | null;
  readonly stderr: string;

  constructor(code: number | null, stderr: string) {
    super(`did not start (code ${code})`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** The connection went while something of ours, which changes nothing by itself, was under way. */
export function disconnected(doing: string): AppError {
  return new AppError(
    'DISCONNECTED',
    `The connection to the node was lost while ${doing}.`,
    'Call again: the next call opens a new connection.',
  );
}
