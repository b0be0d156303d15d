import { parse } from 'dotenv';

/** Settings by variable name; undefined: not set. */
export type Values = Readonly<Record<string, string | undefined>>;

const HEAD = '# Settings of proxmox-mcp. All settings: proxmox-mcp --help\n';

/** A value that cannot be written to an env file. */
export class UnwritableValue extends Error {}

/**
 * Sets values in an env file: replaces the lines of the same name, or removes them for undefined. Other lines stay. Pure.
 * @throws UnwritableValue if a value would be read back differently
 */
export function mergeEnv(before: string | undefined, values: Values): string {
  const missing = new Map(Object.entries(values).filter(([, value]) => value !== undefined));
  const kept = (before ?? HEAD).split(/\r?\n/).flatMap((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1];
    if (name === undefined || !(name in values)) return [line];
    const value = missing.get(name);
    missing.delete(name);
    return value === undefined ? [] : [`${name}=${quoteValue(name, value)}`];
  });
  while (kept.at(-1) === '') kept.pop();
  for (const [name, value] of missing) kept.push(`${name}=${quoteValue(name, value ?? '')}`);
  const after = `${kept.join('\n')}\n`;
  verify(after, values);
  return after;
}

function quoteValue(name: string, value: string): string {
  if (/^[\w@%+:,./~-]*$/.test(value)) return value;
  const quote = ["'", '"', '`'].find((each) => !value.includes(each));
  if (quote === undefined || /[\r\n]/.test(value)) throw unwritable(name);
  return `${quote}${value}${quote}`;
}

/** Reads the values back and compares them: quotes, backslashes and line breaks can change a value. */
function verify(text: string, values: Values): void {
  const read: Values = parse(text);
  for (const [name, value] of Object.entries(values)) {
    if (read[name] !== value) throw unwritable(name);
  }
}

function unwritable(name: string): UnwritableValue {
  return new UnwritableValue(
    `${name} cannot be written to an env file. Put the value in a file, and set ${name}_FILE to its path`,
  );
}
