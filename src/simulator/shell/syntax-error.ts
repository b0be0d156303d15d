/** A script that cannot be parsed. */
export class ShellSyntaxError extends Error {
  readonly line: number;
  readonly column: number;
  /** Further input could complete the script. */
  readonly incomplete: boolean;

  constructor(message: string, position: { line: number; column: number }, incomplete = false) {
    super(message);
    this.line = position.line;
    this.column = position.column;
    this.incomplete = incomplete;
  }
}

/** Syntax that is not POSIX and that this shell does not support. */
export class UnsupportedSyntax extends ShellSyntaxError {
  constructor(what: string, position: { line: number; column: number }) {
    super(
      `line ${position.line}, column ${position.column}: the simulator's shell does not support ${what}`,
      position,
    );
  }
}
