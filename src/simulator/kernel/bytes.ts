/**
 * Text inside a simulated machine is a byte string: one character for each byte, as dash and busybox see it. These two
 * functions convert where text enters or leaves the machine.
 */
const BEYOND_ASCII = /[^\n\t -~]/;

/** Encodes text as a byte string of UTF-8. */
export function toBytes(text: string): string {
  return !BEYOND_ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Decodes a byte string of UTF-8. */
export function fromBytes(bytes: string): string {
  return !BEYOND_ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
