import { columnWidths, padCells } from '../../src/lib/columns.ts';

/** Pads a Markdown table as the formatter does, so that it is readable as plain text. */
export function alignTable(table: string): string {
  const rows = table.split('\n').map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const widths = columnWidths([...rows, Array.from({ length: rows[0]?.length ?? 0 }, () => '---')]);
  const padded = rows.map((cells, index) =>
    index === 1 ? widths.map((width) => '-'.repeat(width)) : padCells(cells, widths),
  );
  return padded.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
