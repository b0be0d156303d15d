import { createHash, createHmac } from 'node:crypto';

/** Characters of one value. No tool takes a longer command, so what ran is always logged whole. */
const MAX_VALUE = 10_000;
/** Characters that are kept of a longer value, and of a name. */
const KEPT = 1024;
/** Characters of all arguments together, before redaction. What a tool accepts is shorter. */
const MAX_TOTAL = 50_000;
/** No tool's arguments are nested deeper; invalid ones may be. */
const MAX_DEPTH = 8;

type Data = Readonly<Record<string, unknown>>;

/** A text without the secrets in it. */
export type RedactText = (text: string) => Promise<string>;

/**
 * The arguments of a call as they are logged: redacted, and shortened where they are longer than any tool accepts.
 * Lengths are measured before redaction, so that text that looks like secrets cannot push the rest out.
 */
export async function loggedArguments(args: Data, redact: RedactText): Promise<Record<string, unknown>> {
  const length = lengthOf(args, 0);
  return length <= MAX_TOTAL ? loggedObject(args, redact, 0) : { omitted: { length } };
}

/** A name from outside, as it is logged. */
export async function loggedName(name: string, redact: RedactText): Promise<string> {
  return (await redact(name.slice(0, 2 * KEPT))).slice(0, KEPT);
}

/**
 * HMAC-SHA-256 with the audit key over the unredacted arguments, in lower-case hex. It proves later which arguments a call
 * had, and tells nothing to whoever lacks the key. The call's id is included, so that equal arguments have different MACs.
 */
export function argumentsMac(call: string, args: Data, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(`proxmox-mcp audit arguments 1\n${call}\n`)
    .update(canonicalJson(args))
    .digest('hex');
}

/** JSON with sorted keys, so that a claim need not have the client's order. What is nested too deep is left out. */
export function canonicalJson(args: Data): string {
  return JSON.stringify(sorted(args, 0));
}

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 2 * MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((each) => sorted(each, depth + 1));
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // Pairs instead of an object: keys that are numbers would be reordered.
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
  // An argument that no tool has may be a secret in the wrong place.
  const entries = Object.entries(value).map(
    async ([name, each]) => [await loggedName(name, redact), await loggedValue(each, redact, depth)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Characters of all names and texts. */
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
