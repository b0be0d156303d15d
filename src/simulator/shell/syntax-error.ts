/** A script that cannot be parsed. */
export class ShellSyntaxError extends Error {
  readonly line: number;
  readonly column: number;
  /** More input could complete it. */
  readonly incomplete: boolean;

  constructor(message: string, position: { line: number; column: number }, incomplete = false) {
    super(message);
    this.line = position.line;
    this.column = position.column;
    this.incomplete = incomplete;
  }
}

/** What POSIX does not know and this shell does not interpret. */
export class UnsupportedSyntax extends ShellSyntaxError {
  constructor(what: string, position: { line: number; column: number }) {
    super(
      `line ${position.line}, column ${position.column}: the simulator's shell does not support ${what}`,
      position,
    );
  }
}
