import type { Reply } from '../tool.ts';
import type { ResponseFormat } from './params.ts';

/** JSON for text content, indented because people read it too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A reply in the requested format; the data is the same in both formats. */
export function reply<Data>(data: Data, format: ResponseFormat, text: (data: Data) => string): Reply<Data> {
  return { data, text: format === 'json' ? toJson : text };
}

/** A random word for `framed`. One per result, chosen after the text was read. */
export function frameWord(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString('hex');
}

/** Text from a container between two lines with a random word, so that it cannot pose as text of this server. */
export function framed(word: string, text: string, kind: 'output' | 'file' = 'output'): string {
  return `[${kind} ${word} begins]\n${text.replace(/\n$/, '')}\n[${kind} ${word} ends]`;
}

/** A name from a container for a line of our own text: a newline in it must not begin another line. */
export function inOneLine(name: string): string {
  return name.replaceAll(
    /[\n\r\t]/g,
    (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** A human-readable size: `512 bytes`, `1.5 MB`, `120 KB`. Powers of 1024. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would otherwise be printed as 1024.0 in the smaller unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `512 MB of 1.0 GB`; null if the use is unknown. */
export function formatUsage(used: number | null, max: number | null): string | null {
  if (used === null) return null;
  return max === null ? formatBytes(used) : `${formatBytes(used)} of ${formatBytes(max)}`;
}
