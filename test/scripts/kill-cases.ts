import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { until } from '../rig/until.ts';
import type { Bench, Case } from './cases.ts';
import type { Program } from './machine.ts';
import { kill, RUN_VARIABLE } from './protocol.ts';

/** Each starts processes whose command lines contain N, and prints "ready". */
const TREES: readonly [name: string, tree: string][] = [
  ['a plain child', 'sleep N & echo ready; wait'],
  ['a setsid child', 'setsid sleep N & echo ready; wait'],
  ['a double-forked child, whose parents have ended', '(sh -c "sleep N &" &); echo ready'],
  ['a process that ignores TERM', "trap '' TERM INT HUP; sleep N & echo ready; while :; do sleep N; done"],
  ['env -i', 'env -i PATH="$PATH" sleep N & echo ready; wait'],
  [
    'a daemon: double-forked, in a session of its own, without environment',
    '(env -i PATH="$PATH" setsid sh -c "sleep N & sleep N" >/dev/null 2>&1 &); echo ready; sleep N',
  ],
  ['a stopped process', 'sleep N & kill -STOP $!; echo ready; wait'],
  [
    'a chain of processes, each of which forks the next and ends',
    'f() { : N; sleep 0.02; f & }; f; echo ready; sleep N',
  ],
  [
    'a process that keeps forking and ignores TERM',
    "trap '' TERM; echo ready; while :; do sleep N & sleep 0.02; done",
  ],
];

/** Those that a scan finds by chance only. */
const FAST_TREES: readonly [name: string, tree: string][] = [
  ['a process that forks and ends at once, again and again', 'f() { : N; f & }; f; echo ready; sleep N'],
];

export const KILL_CASES: readonly Case[] = [
  ...FAST_TREES.map(
    ([name, tree]): Case => ({
      name: `kills ${name}, and leaves bystanders alone`,
      needs: ['isolated', 'linux'],
      run: (bench) => killsOnly(bench, tree),
    }),
  ),
  ...TREES.map(
    ([name, tree]): Case => ({
      name: `kills ${name}, and leaves bystanders alone`,
      needs: ['isolated'],
      run: (bench) => killsOnly(bench, tree),
    }),
  ),
  {
    name: 'gives a process time to clean up after TERM',
    needs: ['isolated'],
    run: async (bench) => {
      const { start, request } = newRun(bench);
      const file = `${await bench.machine.folder()}/cleaned`;
      const tree = await start(
        `trap 'sleep 0.1; echo yes >"${file}"; exit' TERM; echo ready; while :; do sleep 0.01; done`,
      );
      expect(await kill(bench, { ...request, softLooks: 20 })).toMatchObject({ survivors: [] });
      await tree.closed;
      expect(await bench.machine.files.read(file)).toBe('yes\n');
    },
  },
  {
    name: 'finds nothing where the run has ended',
    needs: ['isolated'],
    run: async (bench) => {
      expect(await kill(bench, newRun(bench).request)).toEqual({ found: 0, survivors: [] });
    },
  },
  {
    name: 'leaves the session of an older process alone',
    needs: ['isolated'],
    run: async (bench) => {
      const { machine } = bench;
      const { request } = newRun(bench);
      const [older, n] = [uniqueDuration(), uniqueDuration()];
      const lines = async (token: string) =>
        (await machine.commandLines()).filter((line) => line === `sleep ${token}`).length;
      // The shell and its first child are older than the run, which begins in their session.
      const tree = `exec setsid sh -c 'sleep ${older} & read go; ${RUN_VARIABLE}=${request.run} sleep ${n} & wait'`;
      const program = machine.start(tree, [], { isolated: true });
      await until(async () => (await lines(older)) === 1);
      await pastClockTick();
      const since = machine.ticksNow();
      await pastClockTick();
      program.send('go\n');
      await until(async () => (await lines(n)) === 1);
      expect(await kill(bench, { ...request, since })).toEqual({ found: 1, survivors: [] });
      expect([await lines(older), await lines(n)]).toEqual([1, 0]);
    },
  },
  {
    name: 'claims nothing when it cannot read the processes',
    needs: ['isolated', 'missingPrograms'],
    run: async (bench) => {
      const { start, request } = newRun(bench);
      const n = uniqueDuration();
      await start(`sleep ${n} & echo ready; wait`);
      const programs = await bench.machine.folder();
      for (const program of ['cat', 'grep']) {
        await bench.machine.files.write(`${programs}/${program}`, '#!/bin/sh\nexit 126\n', 0o755);
      }
      await expect(kill(bench, request, { programs })).rejects.toThrow('no end of the report');
      expect(await kill(bench, request)).toMatchObject({ survivors: [] });
    },
  },
  {
    name: 'names what is left when it has no time to kill',
    needs: ['isolated'],
    run: async (bench) => {
      const { start, request } = newRun(bench);
      await start("trap '' TERM; echo ready; while :; do :; done");
      const report = await kill(bench, { ...request, softLooks: 1, hardLooks: 0 });
      expect(report.found).toBe(1);
      expect(report.survivors).toEqual([expect.stringMatching(/^(dash|bash|busybox|sh)$/)]);
      expect(await kill(bench, request)).toMatchObject({ found: 1, survivors: [] });
    },
  },
];

async function killsOnly(bench: Bench, tree: string): Promise<void> {
  const { machine } = bench;
  const { start, request } = newRun(bench);
  const n = uniqueDuration();
  const older = uniqueDuration();
  const unmarked = uniqueDuration();
  const other = uniqueDuration();
  const alive = async (token: string) =>
    (await machine.commandLines()).filter((line) => line.includes(token)).length;
  const sleeping = async (token: string) =>
    (await machine.commandLines()).filter((line) => line === `sleep ${token}`).length;
  const bystander = async (token: string, options: { slackNs?: number; env?: Record<string, string> }) => {
    const program = machine.start(`echo ready; setsid sleep ${token} & wait`, [], {
      ...options,
      isolated: true,
    });
    await program.until(() => program.stdout.includes('ready'));
    await until(async () => (await sleeping(token)) === 1);
  };
  await bystander(older, { slackNs: request.slackNs });
  await pastClockTick();
  await start(tree.replaceAll('N', n));
  await bystander(unmarked, {});
  await bystander(other, {
    slackNs: request.slackNs + 1,
    env: { [RUN_VARIABLE]: `${request.run}0`.slice(1) },
  });
  await until(async () => (await alive(n)) > 0);

  const report = await kill(bench, request);

  expect(await alive(n)).toBe(0);
  expect(report.survivors).toEqual([]);
  expect(report.found).toBeGreaterThan(0);
  for (const token of [older, unmarked, other]) expect(await sleeping(token)).toBe(1);
}

/** A new run: its marker, and how its processes start. */
function newRun({ machine }: Bench) {
  const run = `run${randomInt(1e9)}`.padEnd(24, '0');
  const request = { run, slackNs: 60_001 + randomInt(400_000), since: machine.ticksNow() };
  const start = async (tree: string): Promise<Program> => {
    request.since = machine.ticksNow();
    const env = { [RUN_VARIABLE]: request.run };
    const program = machine.start(tree, [], { env, slackNs: request.slackNs, isolated: true });
    await program.until(() => program.stdout.includes('ready'));
    return program;
  };
  return { start, request };
}

/** A duration of sleep that no other process uses, so that it can be found in /proc. */
function uniqueDuration(): string {
  return `9${randomInt(1e5, 1e6)}`;
}

/** Start times have a resolution of 10 ms. */
function pastClockTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}
