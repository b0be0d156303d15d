import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestProject } from 'vitest/node';
import { builtServer } from './build.ts';
import { findRig, recordStart, rigDirectory, stateOfRig } from './rig/info.ts';
import { usesCluster, usesNode } from './rig/uses-rig.ts';

/**
 * Builds the server that the tests start; SERVER_ENTRY selects another one, for example src/bin.ts. Starts a rig for each worker
 * that can need one, if the machine can run it, and stops what it has started at the end. RIG=off never starts one, RIG=keep leaves
 * them running, and running ones are used. The workers run meanwhile; each waits for its rig when it needs it.
 * Without a rig, the suites that need it are skipped by name, with the reason; in CI the run fails.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Inherited by the workers.
  process.env.SERVER_ENTRY ||= builtServer();
  const { RIG_STATE } = process.env;
  const numbers = Array.from({ length: await rigsNeeded(project) }, (_, index) => index + 1);
  const states = RIG_STATE === undefined ? numbers.map(stateOfRig) : [RIG_STATE];
  if ('info' in findRig()) {
    useRigs(states.filter((state) => 'info' in findRig(state)));
    return undefined;
  }
  if (process.env.RIG === 'off' || process.platform !== 'linux' || states.length === 0) return undefined;
  const results = mkdtempSync(join(tmpdir(), 'rig-starts-'));
  useRigs(states);
  process.env.RIG_STARTS = results;
  const started = startRigs(states, results);
  return async () => {
    const running = await started;
    rmSync(results, { recursive: true });
    if (process.env.RIG !== 'keep') stop(running);
  };
}

/**
 * Starts the rigs one after the other, because each takes the lock of the machine, and records the result of each for the workers.
 * @returns those that run
 */
async function startRigs(states: readonly string[], results: string): Promise<string[]> {
  const started: string[] = [];
  let failure = '';
  for (const state of states) {
    if (failure === '') failure = await startRig(state);
    if (failure === '') started.push(state);
    else if (state === states[0])
      console.error(`The rig cannot be started: ${failure}\nThe suites that need it are skipped.`);
    recordStart(results, state, failure);
  }
  return started;
}

/** @returns why it does not run; empty if it does */
async function startRig(state: string): Promise<string> {
  const env = { ...process.env, RIG_STATE: state };
  const up = spawn(join(rigDirectory, 'up'), { env, stdio: ['ignore', 'inherit', 'pipe'] });
  const failed = once(up, 'close').catch((error: unknown) => [String(error)]);
  const [stderr, [code]] = await Promise.all([text(up.stderr), failed]);
  return code === 0 ? '' : stderr.trim().split('\n').at(0) || String(code);
}

/** The workers inherit the list; each uses one of them (test/rig/info.ts). */
function useRigs(states: readonly string[]): void {
  if (states.length > 0) process.env.RIG_STATES = states.join(':');
}

/** One for each file that uses the rig, but not more than there are workers. */
async function rigsNeeded(project: TestProject): Promise<number> {
  const { vitest } = project;
  const filters = 'filenamePattern' in vitest ? vitest.filenamePattern : undefined;
  const { testFiles } = await project.globTestFiles(Array.isArray(filters) ? filters.map(String) : undefined);
  const users = testFiles.filter((file) => usesNode(file) || usesCluster(file));
  return Math.min(users.length, Number(vitest.config.maxWorkers));
}

/** The first one last: it ends the cluster, and has created the cgroups that all share. */
function stop(states: readonly string[]): void {
  for (const state of states.toReversed()) {
    const found = findRig(state);
    if (!('info' in found)) continue;
    // The suites of other runs hold these locks while they use the rig or the cluster.
    const locked = ['flock', dirname(state), 'flock', state, join(rigDirectory, 'down')];
    const [program = '', ...args] = state === states[0] ? locked : locked.slice(2);
    spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, RIG_STATE: state } });
  }
}
