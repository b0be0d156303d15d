/** Pads a Markdown table as the formatter does, so that it can be read as text, too. */
export function alignTable(table: string): string {
  const rows = table.split('\n').map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0), 3),
  );
  const padded = rows.map((cells, index) =>
    widths.map((width, column) => (index === 1 ? '-'.repeat(width) : (cells[column] ?? '').padEnd(width))),
  );
  return padded.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
