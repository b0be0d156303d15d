import { createHash, createHmac } from 'node:crypto';

/** Maximum length of a value. No tool accepts a longer command, so commands are always logged completely. */
const MAX_VALUE = 10_000;
/** Length to which a longer value, or a name, is shortened. */
const KEPT = 1024;
/** Maximum length of all arguments together, before redaction. Arguments that a tool accepts are shorter. */
const MAX_TOTAL = 50_000;
/** Maximum nesting. The arguments of tools are not nested deeper, but invalid arguments may be. */
const MAX_DEPTH = 8;

type Data = Readonly<Record<string, unknown>>;

/** A text without the secrets in it. */
export type RedactText = (text: string) => Promise<string>;

/**
 * The arguments of a call as they are logged: redacted, and shortened if they are longer than any tool accepts.
 * Lengths are measured before redaction, so that text that looks like secrets cannot displace other arguments.
 */
export async function loggedArguments(args: Data, redact: RedactText): Promise<Record<string, unknown>> {
  const length = lengthOf(args, 0);
  return length <= MAX_TOTAL ? loggedObject(args, redact, 0) : { omitted: { length } };
}

/** A name from the client, as it is logged. */
export async function loggedName(name: string, redact: RedactText): Promise<string> {
  return (await redact(name.slice(0, 2 * KEPT))).slice(0, KEPT);
}

/**
 * HMAC-SHA-256 with the audit key over the unredacted arguments, in lower-case hex. With the key, it proves later which
 * arguments a call had; without the key, it reveals nothing. It includes the id of the call, so that equal arguments of two
 * calls have different MACs.
 * @param canonical the arguments as `canonicalJson` writes them
 */
export function argumentsMac(call: string, canonical: string, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(`proxmox-mcp audit arguments 1\n${call}\n`)
    .update(canonical)
    .digest('hex');
}

/** JSON with sorted keys, so that the order of arguments does not matter. Values that are nested too deep are omitted. */
export function canonicalJson(args: Data): string {
  return JSON.stringify(sorted(args, 0));
}

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 2 * MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((each) => sorted(each, depth + 1));
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // Pairs instead of an object, because an object would reorder numeric keys.
  return { object: entries.map(([name, each]) => [name, sorted(each, depth + 1)]) };
}

async function loggedValue(value: unknown, redact: RedactText, depth: number): Promise<unknown> {
  if (typeof value === 'string') {
    if (value.length <= MAX_VALUE) return redact(value);
    return { length: value.length, begins: await loggedName(value, redact) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return Promise.all(value.map((each) => loggedValue(each, redact, depth + 1)));
  return loggedObject(value, redact, depth + 1);
}

async function loggedObject(
  value: object,
  redact: RedactText,
  depth: number,
): Promise<Record<string, unknown>> {
  // The name of an unknown argument may be a misplaced secret.
  const entries = Object.entries(value).map(
    async ([name, each]) => [await loggedName(name, redact), await loggedValue(each, redact, depth)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Length of all names and strings. */
function lengthOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return Math.min(value.length, MAX_VALUE);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 8;
  let length = 0;
  for (const [name, each] of Object.entries(value)) {
    length += Math.min(name.length, KEPT) + lengthOf(each, depth + 1);
    if (length > MAX_TOTAL) return length;
  }
  return length;
}

/** Lower-case hex, over the text as UTF-8. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
