/** An error that ends a non-interactive shell with this code. */
export class ShellError extends Error {
  readonly code: number;

  constructor(message: string, code = 2) {
    super(message);
    this.code = code;
  }
}

/** A failed redirection: the command does not run, and the shell continues unless it is a special builtin. */
export class RedirectionError extends Error {}

/*
 * The following are thrown to change the control flow of a script. They are not errors and have no stack trace, which would be
 * slow.
 */

/** `exit`, and everything else that ends a shell. */
export class ExitShell {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

/** `return` from a function or a sourced file. */
export class ReturnFrom {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

/** `break` and `continue`. */
export class LeaveLoop {
  readonly kind: 'break' | 'continue';
  levels: number;

  constructor(kind: 'break' | 'continue', levels: number) {
    this.kind = kind;
    this.levels = levels;
  }
}

/** `exec` has replaced the shell with a program, which has ended. */
export class Replaced {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}
