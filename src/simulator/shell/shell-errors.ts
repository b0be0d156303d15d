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

/** `exit`, and what leads to the end of a shell. */
export class ExitShell extends Error {
  readonly code: number;

  constructor(code: number) {
    super('exit');
    this.code = code;
  }
}

/** `return` from a function or a sourced file. */
export class ReturnFrom extends Error {
  readonly code: number;

  constructor(code: number) {
    super('return');
    this.code = code;
  }
}

/** `break` and `continue`. */
export class LeaveLoop extends Error {
  readonly kind: 'break' | 'continue';
  levels: number;

  constructor(kind: 'break' | 'continue', levels: number) {
    super(kind);
    this.kind = kind;
    this.levels = levels;
  }
}

/** `exec` has replaced the shell by a program, and that has ended. */
export class Replaced extends Error {
  readonly code: number;

  constructor(code: number) {
    super('exec');
    this.code = code;
  }
}
