import type { Reply } from '../tool.ts';
import type { ResponseFormat } from './params.ts';

/** JSON as it appears in text content: indented, for people look at it too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A reply in the format that the caller asked for; the data is the same in both. */
export function reply<Data>(data: Data, format: ResponseFormat, text: (data: Data) => string): Reply<Data> {
  return { data, text: format === 'json' ? toJson : text };
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** A size for people: `512 bytes`, `1.5 MB`, `120 KB`. Powers of 1024. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be printed as 1024.0 of the smaller unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A time for people: `40 ms`, `1.2 s`, `3 min 5 s`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const total = Math.round(ms / 1000);
  if (total < 60) return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${total} s`;
  const parts: [number, string][] = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** Columns padded to their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
