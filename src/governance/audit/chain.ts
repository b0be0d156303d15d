import { createHmac } from 'node:crypto';

/** Used in place of the previous MAC for the first entry. */
export const GENESIS = 'proxmox-mcp audit 1';

const NEWLINE = 0x0a;
/** `,"mac":"` + 64 hex digits + `"}` */
const SEAL_LENGTH = 8 + 64 + 2;

export interface Sealed {
  /** With its newline. */
  readonly line: string;
  readonly mac: string;
}

/**
 * Creates a line. Its last field is the HMAC-SHA-256 of the previous entry's MAC and the exact bytes of the rest of the line,
 * so that verification does not depend on how JSON is serialized.
 * @param body a JSON object on one line
 */
export function seal(body: string, previous: string, key: Uint8Array): Sealed {
  const mac = macOf(Buffer.from(body), previous, key);
  return { line: `${body.slice(0, -1)},"mac":"${mac}"}\n`, mac };
}

/** The content of a line and its unverified MAC; undefined if it has none. */
export function unseal(line: Buffer): { readonly body: Buffer; readonly mac: string } | undefined {
  const cut = line.length - SEAL_LENGTH;
  if (cut < 1) return undefined;
  const mac = /^,"mac":"([0-9a-f]{64})"\}$/.exec(line.toString('latin1', cut))?.[1];
  if (mac === undefined) return undefined;
  return { body: Buffer.concat([line.subarray(0, cut), Buffer.from('}')]), mac };
}

/** Lower-case hex. */
export function macOf(body: Uint8Array, previous: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(previous).update('\n').update(body).digest('hex');
}

/** An id of a key that does not reveal the key. It distinguishes a wrong key from a forged entry. */
export function keyId(key: Uint8Array): string {
  return createHmac('sha256', key).update('proxmox-mcp audit key').digest('hex').slice(0, 8);
}

/** The complete lines of a segment, and what follows the last newline: an incomplete line after a crash, or nothing. */
export function splitLines(bytes: Buffer): { readonly lines: readonly Buffer[]; readonly rest: Buffer } {
  const lines: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return { lines, rest: bytes.subarray(from) };
}
