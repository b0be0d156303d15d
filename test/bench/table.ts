import { isMet, type Row, ratioOf } from './measure.ts';

const HEAD = ['measure', 'ours', 'floor', 'ratio', 'limit', ''] as const;

/** The rows as an aligned table for people, in color on a terminal. */
export function tableOf(rows: readonly Row[], colour: boolean): string {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  const [head = '', ...body] = lines;
  const painted = body.map((line, index) => {
    const met = rows[index] === undefined ? null : isMet(rows[index]);
    return colour ? paint(line, met) : line;
  });
  return [head, rule, ...painted].join('\n');
}

function cellsOf(row: Row): readonly string[] {
  const { measure, unit, ours, floor, limit } = row;
  const ratio = ratioOf(row);
  const met = isMet(row);
  return [
    measure,
    `${number(ours)} ${unit}`.trimEnd(),
    floor === null ? '' : `${number(floor)} ${unit}`,
    ratio === null ? '' : ratio.toFixed(2),
    limit === null
      ? ''
      : `${limit.kind === 'at most' ? '≤' : '≥'} ${limit.value}${floor === null ? ` ${unit}` : ''}`.trimEnd(),
    met === null ? '' : met ? '✓' : '✗',
  ];
}

function number(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

function paint(line: string, met: boolean | null): string {
  if (met === null) return `\u001B[2m${line}\u001B[22m`;
  return `\u001B[${met ? 32 : 31}m${line}\u001B[39m`;
}

/** The rows as JSON for programs. */
export function jsonOf(rows: readonly Row[]): string {
  return JSON.stringify(
    rows.map((row) => ({ ...row, ratio: ratioOf(row), met: isMet(row) })),
    undefined,
    2,
  );
}
