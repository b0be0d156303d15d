import { computingTime } from '../../lib/computing-time.ts';
import { unifiedDiff } from '../../lib/unified-diff.ts';

/** Lines that two outputs have in common at least, so that one is shown as its difference from the other. */
const LEAST_COMMON = 10;
/** Lines of outputs that are compared at most. */
const MOST_LINES = 20_000;
/** Unchanged lines around each change. The other output is shown as a whole, with the rest of them. */
const CONTEXT = 1;

/** The most computing time to compare the outputs of a call, in ms. */
export const COMPARE_MS = 500;

interface Streams {
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface StreamDiff {
  readonly stream: 'stdout' | 'stderr';
  /** Unified. */
  readonly diff: string;
}

/**
 * The difference between two outputs that have most lines in common.
 * @param until the `computingTime()` at which the search ends
 * @returns the streams that differ, none if the outputs look equal; null if `output` has few lines in common with `base`, if its
 * difference is longer than half of it, or is not found in time
 */
export function differenceBetween(base: Streams, output: Streams, until: number): StreamDiff[] | null {
  const streams = (['stdout', 'stderr'] as const).map((stream) => {
    return { stream, before: base[stream], after: output[stream] };
  });
  // What is the same in the parts that are shown may differ in the others, by more than its difference says.
  if (base.truncated || output.truncated) return null;
  const most = (output.stdout.length + output.stderr.length) / 2;
  const common = streams.map(({ before, after }) => commonLines(before, after));
  const lines = common.reduce((sum, each) => sum + each.lines, 0);
  const least = common.reduce((sum, each) => sum + each.others, 0);
  // So that a diff is searched for only where it is short.
  if (lines < LEAST_COMMON || least > most) return null;
  const diffs: StreamDiff[] = [];
  for (const { stream, before, after } of streams) {
    const timeoutMs = Math.floor(until - computingTime());
    if (timeoutMs <= 0) return null;
    const found = unifiedDiff(before, after, { context: CONTEXT, timeoutMs });
    if (found === undefined) return null;
    if (found.length > 0) diffs.push({ stream, diff: found.join('\n') });
  }
  return diffs.reduce((sum, { diff }) => sum + diff.length, 0) <= most ? diffs : null;
}

/** How many lines two texts have in common, in any order, and how many characters are in the others: no diff is shorter. */
function commonLines(before: string, after: string): { lines: number; others: number } {
  const [old, changed] = [before.split('\n'), after.split('\n')];
  if (old.length + changed.length > MOST_LINES) return { lines: 0, others: Number.POSITIVE_INFINITY };
  const counts = new Map<string, number>();
  for (const line of old) counts.set(line, (counts.get(line) ?? 0) + 1);
  let [lines, characters] = [0, 0];
  for (const line of changed) {
    const left = counts.get(line) ?? 0;
    if (left === 0) continue;
    counts.set(line, left - 1);
    lines += line === '' ? 0 : 1;
    characters += line.length + 1;
  }
  return { lines, others: Math.max(0, before.length + after.length + 2 - 2 * characters) };
}
