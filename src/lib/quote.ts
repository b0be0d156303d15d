/**
 * The only place where a value becomes part of a shell command line.
 *
 * Single quotes suspend every meaning in a POSIX shell but that of the single quote itself. Always
 * quoting, even `abc`, leaves no list of "safe" characters to get wrong.
 */
export function quote(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL byte cannot be passed in a command line');
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Joins an argument vector into one command line that a POSIX shell splits back into exactly `argv`. */
export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** A word of a command line that people read and paste: quoted only where a shell needs it. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : quote(text);
}
