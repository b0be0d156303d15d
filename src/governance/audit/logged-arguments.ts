import { createHash } from 'node:crypto';

/** Characters of one value. A command of more is a script, of which begin and hash say which one it was. */
const MAX_VALUE = 4096;
/** Characters that are kept of a longer one, and of a name. */
const KEPT = 1024;
/** Characters of all arguments together, as JSON. */
const MAX_TOTAL = 32_768;
/** Deeper than any tool's arguments; what is not valid may be nested as it likes. */
const MAX_DEPTH = 8;

type Data = Readonly<Record<string, unknown>>;

/** A copy of the same shape in which no string holds a secret; names of fields stay as they are. */
export type RedactData = (data: Data) => Promise<Data>;

interface Outside {
  readonly caller: string;
  readonly name: string | null;
  readonly args: Data;
}

/** What comes from outside, as it goes on record: redacted, then shortened. */
export async function cleaned({ caller, name, args }: Outside, redact: RedactData) {
  // An argument that no tool has may be a secret that got into the wrong place.
  const clean = await redact({ caller, name, names: Object.keys(args), args });
  const names = Array.isArray(clean.names) ? clean.names : [];
  const values = isObject(clean.args) ? Object.values(clean.args) : [];
  return {
    caller: textOf(clean.caller),
    name: name === null ? null : textOf(clean.name),
    args: shortened(Object.fromEntries(names.map((each, index) => [textOf(each), values[index]]))),
  };
}

/**
 * The arguments, shortened where they are long, with the length and the hash of what was there. They are redacted before, so
 * that nobody can try out secrets on a hash.
 */
export function shortened(args: Data): Record<string, unknown> {
  const short = objectOf(args, 0);
  const json = JSON.stringify(short);
  return json.length <= MAX_TOTAL ? short : { omitted: digest(json) };
}

function shortOf(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return value.length <= MAX_VALUE ? value : { ...digest(value), begins: value.slice(0, KEPT) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((each) => shortOf(each, depth + 1));
  return objectOf(value, depth + 1);
}

function objectOf(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name.slice(0, KEPT), shortOf(each, depth)]),
  );
}

function digest(text: string): { readonly length: number; readonly sha256: string } {
  return { length: text.length, sha256: sha256(text) };
}

/** Lower-case hex, over the text as UTF-8. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, KEPT) : '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
