import { setTimeout } from 'node:timers/promises';

/** Pause between two runs: the node still cleans up after a call is answered, which must not count for the next one. */
const PAUSE_MS = 10;

/** One row of the table. Times in ms, throughput in MB/s, sizes in MB (10^6 bytes). */
export interface Row {
  readonly measure: string;
  readonly unit: 'ms' | 'MB/s' | 'MB' | '';
  readonly ours: number;
  /** The same work without this server, measured in the same run; null: the limit is a value, not a ratio. */
  readonly floor: number | null;
  /** null: for information. */
  readonly limit: Limit | null;
}

export interface Limit {
  readonly kind: 'at most' | 'at least';
  readonly value: number;
}

export function ratioOf({ ours, floor }: Row): number | null {
  return floor === null ? null : ours / floor;
}

/** null: the row has no limit. */
export function isMet(row: Row): boolean | null {
  if (row.limit === null) return null;
  const value = ratioOf(row) ?? row.ours;
  return row.limit.kind === 'at most' ? value <= row.limit.value : value >= row.limit.value;
}

export function atMost(value: number): Limit {
  return { kind: 'at most', value };
}

export function atLeast(value: number): Limit {
  return { kind: 'at least', value };
}

/** Runs the measured work once and returns its duration in ms. */
export type Subject = () => Promise<number>;

/**
 * Medians of all subjects, which run in turn, so that other load on the machine affects all of them. Each round begins with
 * another subject, because the first of a round may find cold caches or a busy disk.
 */
export async function takeTurns<const T extends readonly Subject[]>(
  rounds: number,
  subjects: T,
): Promise<{ [K in keyof T]: number }>;
export async function takeTurns(rounds: number, subjects: readonly Subject[]): Promise<number[]> {
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (round + turn) % subjects.length;
      await setTimeout(PAUSE_MS);
      const elapsed = await subjects[index]?.();
      if (elapsed !== undefined) times[index]?.push(elapsed);
    }
  }
  return times.map(median);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('there is no median of nothing');
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/** The duration of `work` in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
