/** The width of each column: the longest line in its cells. */
export function columnWidths(rows: readonly (readonly string[])[]): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, ...cell.split('\n').map((line) => line.length));
    });
  }
  return widths;
}

/** The cells, padded to the widths of their columns. */
export function padCells(cells: readonly string[], widths: readonly number[]): readonly string[] {
  return cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
}

/**
 * Formats rows as aligned columns, separated by two spaces. The last column is not padded, and its cells may have several
 * lines, which are aligned with the first one.
 * @param indent text before each line
 */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = columnWidths(rows);
  return rows
    .map((row) => {
      const left =
        indent +
        row
          .slice(0, -1)
          .map((_, column) => ' '.repeat((widths[column] ?? 0) + 2))
          .join('');
      const line = padCells(row, widths).join('  ').trimEnd();
      return indent + line.replaceAll('\n', `\n${left}`);
    })
    .join('\n');
}
