import { wrapText } from './output.ts';

/** A header of a table: two or more names in capitals, separated by two spaces or more. */
const HEADER = /^[A-Z]+(?: [A-Z]+)*(?: {2,}[A-Z]+(?: [A-Z]+)*)+$/;
/** The first line of an output or a file, which is shown as it is. The last line has the same word. */
const BEGIN = /^\[\w+ (\w+) begins\]$/;
/** A line with columns. */
const COLUMNS = / {2}/;
/** Distance between two columns. */
const GAP = 2;

/**
 * The text of a tool, fitted to a line width: sentences are wrapped; a table that is too wide keeps the columns that fit, and
 * continues each row with the others below it. Outputs, files and other lines with columns are not changed.
 * @param tableWidth the line width for tables, which may be wider than sentences that are easy to read
 */
export function fitText(text: string, width: number, tableWidth = width): string {
  if (width === Number.POSITIVE_INFINITY) return text;
  const lines = text.split('\n');
  const fitted: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const block = blockAt(lines, at);
    at += block.length;
    if (HEADER.test(line)) fitted.push(...fitTable(block, tableWidth));
    else if (BEGIN.test(line)) fitted.push(...block);
    else fitted.push(...(COLUMNS.test(line) ? [line] : wrapText(line, width)));
  }
  return fitted.join('\n');
}

/** The lines from `at` that belong together: an output with its markers, a table, or one line. */
function blockAt(lines: readonly string[], at: number): readonly string[] {
  const line = lines[at] ?? '';
  const word = BEGIN.exec(line)?.[1];
  if (word !== undefined) {
    const end = lines.findIndex((each, index) => index > at && each.endsWith(` ${word} ends]`));
    return lines.slice(at, end < 0 ? undefined : end + 1);
  }
  if (!HEADER.test(line)) return [line];
  // A sentence may follow the rows at once.
  const end = lines.findIndex((each, index) => index > at && !COLUMNS.test(each));
  return lines.slice(at, end < 0 ? undefined : end);
}

function fitTable(lines: readonly string[], width: number): readonly string[] {
  const starts = [...(lines[0] ?? '').matchAll(/\S+(?: \S+)*/g)].map(({ index }) => index);
  const cellsOf = (line: string) =>
    starts.map((start, column) => line.slice(start, starts[column + 1]).trim());
  const [header = [], ...rows] = lines.map(cellsOf);
  // The column after those that fit begins within the width. One column is always kept.
  const kept = Math.max(starts.filter((_, column) => endOf(starts, column, lines) <= width).length, 1);
  const indent = ' '.repeat(Math.min(starts[1] ?? GAP, 6));
  return lines.flatMap((line, index) => {
    const first = line.slice(0, starts[kept]).trimEnd();
    return index === 0 ? [first] : [first, ...moreOf(rows[index - 1] ?? [])];
  });

  function moreOf(cells: readonly string[]): readonly string[] {
    const parts = header.flatMap((name, column) => {
      const cell = cells[column] ?? '';
      return column < kept || cell === '' || cell === '-' ? [] : [`${name} ${cell}`];
    });
    return joinParts(parts, width - indent.length).map((line) => `${indent}${line}`);
  }
}

/** Where a column ends: two characters before the next one; the last one at the end of the longest line. */
function endOf(starts: readonly number[], column: number, lines: readonly string[]): number {
  const next = starts[column + 1];
  return next === undefined ? Math.max(...lines.map(({ length }) => length)) : next - GAP;
}

/** Joins parts with a separator, as many on a line as fit. A part that is longer than a line is wrapped. */
function joinParts(parts: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = `${last} · ${part}`;
    if (last !== undefined && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(...wrapText(part, width));
  }
  return lines;
}
