/** Text of a container as one line of limited length, so that it cannot look like several rows of a table. */
export function oneLine(text: string, most = 200): string {
  const line = text
    .trim()
    .replaceAll(
      /[\n\r\t]/g,
      (char) => `<U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`,
    );
  return line.length <= most ? line : `${withoutPartialWord(line.slice(0, most))}…`;
}

/**
 * The text without its last word, which was cut. A part of a password or token could not be recognized and redacted. A text
 * that is mostly one word keeps it.
 */
export function withoutPartialWord(text: string): string {
  const end = text.lastIndexOf(' ');
  return end < text.length / 4 ? text : text.slice(0, end);
}

/** A number that the container or its kernel reports: an integer that is not too large to be exact; null for anything else. */
export function integer(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,19}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
