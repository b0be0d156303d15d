/** An error that ends a shell that is not interactive, with this code. */
export class ShellError extends Error {
  readonly code: number;

  constructor(message: string, code = 2) {
    super(message);
    this.code = code;
  }
}

/** A redirection that could not be made: the command is not run, the shell goes on unless it is a special builtin's. */
export class RedirectionError extends Error {}

/*
 * What follows is thrown and is no error: it changes the flow of a script. Without a stack trace it costs little.
 */

/** `exit`, and what leads to the end of a shell. */
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

/** `exec` has replaced the shell by a program, and that has ended. */
export class Replaced {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}
