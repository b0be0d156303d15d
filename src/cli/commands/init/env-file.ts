import { parse } from 'dotenv';

/** Settings by their name in the environment; undefined: not to be set. */
export type Values = Readonly<Record<string, string | undefined>>;

const HEAD = '# Settings of proxmox-mcp, read by every command. All settings: proxmox-mcp --help\n';

/** A value that no env file can hold. */
export class UnwritableValue extends Error {}

/**
 * An env file with these values in it: lines of the same name are replaced, or removed for undefined; all others stay. Pure.
 * @throws UnwritableValue where a value would be read back as something else.
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

/** What is written must be what is read: quotes and backslashes have surprises, and so have values over several lines. */
function verify(text: string, values: Values): void {
  const read: Values = parse(text);
  for (const [name, value] of Object.entries(values)) {
    if (read[name] !== value) throw unwritable(name);
  }
}

function unwritable(name: string): UnwritableValue {
  return new UnwritableValue(
    `${name} cannot be written into an env file; put the value into a file and its path into ${name}_FILE`,
  );
}
