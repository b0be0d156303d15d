import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Cost, Measured } from './measure.ts';
import type { NodeUnderEval } from './node-under-eval.ts';

const FILE = fileURLToPath(new URL('limits.json', import.meta.url));

const costs = z.record(
  z.string(),
  z.object({ calls: z.number(), characters: z.number(), tokens: z.number() }),
);
const shape = z.object({ simulator: costs, rig: costs });

type NodeName = NodeUnderEval['name'];

/** The maximum cost of each task on this kind of node. */
export async function readLimits(node: NodeName): Promise<Readonly<Record<string, Cost>>> {
  return (await readFileOfLimits())[node];
}

/** Derives the limits from a measurement, with a tenth more for durations and numbers that differ between runs. */
export async function writeLimits(node: NodeName, measured: readonly Measured[]): Promise<void> {
  const more = (value: number) => Math.ceil((value * 1.1) / 10) * 10;
  const limits = Object.fromEntries(
    measured.map(({ job, calls, characters, tokens }) => [
      job,
      { calls, characters: more(characters), tokens: more(tokens) },
    ]),
  );
  const all = { ...(await readFileOfLimits()), [node]: limits };
  await writeFile(FILE, `${JSON.stringify(all, null, 2)}\n`);
}

async function readFileOfLimits() {
  return shape.parse(JSON.parse(await readFile(FILE, 'utf8')));
}

/** The tasks that were incomplete or cost more than their limits, one line each. */
export function regressions(measured: readonly Measured[], limits: Readonly<Record<string, Cost>>): string[] {
  return measured.flatMap((each) => {
    const limit = limits[each.job];
    if (each.missing.length > 0)
      return [`${each.job}: not done, ${each.missing.join(' and ')} is missing in:\n${each.text}`];
    if (limit === undefined) return [`${each.job}: no limit; write it with npm run eval -- --write`];
    const over = (['calls', 'characters', 'tokens'] as const).filter((unit) => each[unit] > limit[unit]);
    return over.map((unit) => `${each.job}: ${each[unit]} ${unit}, at most ${limit[unit]}`);
  });
}
