import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Cost, Measured } from './measure.ts';

const FILE = fileURLToPath(new URL('limits.json', import.meta.url));

const shape = z.record(
  z.string(),
  z.object({ calls: z.number(), characters: z.number(), tokens: z.number() }),
);

/** The maximum cost of each task. */
export async function readLimits(): Promise<Readonly<Record<string, Cost>>> {
  return shape.parse(JSON.parse(await readFile(FILE, 'utf8')));
}

/** Derives the limits from a measurement, with a tenth more for durations and numbers that differ between runs. */
export async function writeLimits(measured: readonly Measured[]): Promise<void> {
  const more = (value: number) => Math.ceil((value * 1.1) / 10) * 10;
  const limits = Object.fromEntries(
    measured.map(({ job, calls, characters, tokens }) => [
      job,
      { calls, characters: more(characters), tokens: more(tokens) },
    ]),
  );
  await writeFile(FILE, `${JSON.stringify(limits, null, 2)}\n`);
}

/** The tasks that were incomplete or cost more than their limits, one line each. */
export function regressions(measured: readonly Measured[], limits: Readonly<Record<string, Cost>>): string[] {
  return measured.flatMap((each) => {
    const limit = limits[each.job];
    if (each.missing.length > 0) return [`${each.job}: not done, ${each.missing.join(' and ')} is missing`];
    if (limit === undefined) return [`${each.job}: no limit; write it with npm run eval -- --write`];
    const over = (['calls', 'characters', 'tokens'] as const).filter((unit) => each[unit] > limit[unit]);
    return over.map((unit) => `${each.job}: ${each[unit]} ${unit}, at most ${limit[unit]}`);
  });
}
