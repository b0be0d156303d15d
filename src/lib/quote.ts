/**
 * The only place where a value becomes part of a shell command line.
 *
 * Inside single quotes, a POSIX shell interprets only the single quote itself. Every value is quoted, even `abc`, so that no
 * list of "safe" characters is needed.
 */
export function quote(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL byte cannot be passed in a command line');
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Joins an argument vector into one command line that a POSIX shell splits back into exactly `argv`. */
export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** A word of a command line for display, quoted only if necessary. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : quote(text);
}
