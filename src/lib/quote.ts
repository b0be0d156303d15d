/**
 * The only place where a value becomes part of a shell command line.
 *
 * In a POSIX shell, no character is special within single quotes except the single quote itself. Values are always quoted,
 * even `abc`, so that no list of safe characters is needed.
 */
export function quote(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL byte cannot be passed in a command line');
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Joins an argument vector to a command line that a POSIX shell splits into exactly `argv`. */
export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** A word of a command line for people, quoted only if necessary. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : quote(text);
}
