import { structuredPatch } from 'diff';

/**
 * The lines of a unified diff, without the names of files; none if the texts are equal.
 * @param options `context`: unchanged lines around each change; `timeoutMs`: time to find the diff in
 * @returns undefined if it is not found in time
 */
export function unifiedDiff(
  before: string,
  after: string,
  options: { readonly context: number; readonly timeoutMs: number },
): readonly string[] | undefined {
  const { context, timeoutMs: timeout } = options;
  const patch = structuredPatch('', '', before, after, '', '', { context, timeout });
  return patch?.hunks.flatMap((hunk) => [
    `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
    ...hunk.lines,
  ]);
}

/** A range without lines has the number of the line before it. */
function range(start: number, lines: number): string {
  if (lines === 0) return `${start - 1},0`;
  return lines === 1 ? String(start) : `${start},${lines}`;
}
