import { setTimeout } from 'node:timers/promises';

/** Between two turns: the far side still clears up when a call is answered, which must not be counted as the next one's. */
const PAUSE_MS = 10;

/** What one row of the table says. Times in ms, throughput in MB/s, sizes in MB (10^6 bytes). */
export interface Row {
  readonly measure: string;
  readonly unit: 'ms' | 'MB/s' | 'MB' | '';
  readonly ours: number;
  /** What the same costs without us, measured in the same run; null: the limit is a value, not a ratio. */
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

/** Does once what is measured, and returns how many ms it took. */
export type Subject = () => Promise<number>;

/**
 * Medians of all subjects, which take turns, so that whatever else loads the machine hits all of them. Each round begins
 * with another one, for the first of a round may find caches cold or the disk busy.
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

/** How long `work` takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
