import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtServer } from './build.ts';
import { findRig, rigDirectory, stateOfRig } from './rig/info.ts';
import { usesCluster, usesNode } from './rig/uses-rig.ts';

/**
 * Builds the server that the tests start; SERVER_ENTRY selects another one, for example src/bin.ts. Starts a rig for each worker
 * that can need one, if the machine can run it, and stops what it has started at the end. RIG=off never starts one, RIG=keep leaves
 * them running, and running ones are used.
 * Without a rig, the suites that need it are skipped by name, with the reason; in CI the run fails.
 */
export async function setup(project: TestProject): Promise<(() => void) | undefined> {
  // Inherited by the workers.
  process.env.SERVER_ENTRY ||= builtServer();
  project.provide('rigFailure', '');
  const { RIG_STATE } = process.env;
  const numbers = Array.from({ length: await rigsNeeded(project) }, (_, index) => index + 1);
  const states = RIG_STATE === undefined ? numbers.map(stateOfRig) : [RIG_STATE];
  if ('info' in findRig()) {
    useRigs(states.filter((state) => 'info' in findRig(state)));
    return undefined;
  }
  if (process.env.RIG === 'off' || process.platform !== 'linux' || states.length === 0) return undefined;
  const started: string[] = [];
  for (const state of states) {
    const env = { ...process.env, RIG_STATE: state };
    const up = spawnSync(join(rigDirectory, 'up'), {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    if (up.status !== 0) {
      const reason = up.stderr.trim().split('\n').at(0) ?? String(up.error);
      if (process.env.CI) {
        stop(started);
        throw new Error(`the rig cannot be started: ${reason}`);
      }
      // Fewer are enough.
      if (started.length === 0) {
        console.error(`The rig cannot be started: ${reason}\nThe suites that need it are skipped.`);
        project.provide('rigFailure', reason);
      }
      break;
    }
    started.push(state);
  }
  useRigs(started);
  return process.env.RIG === 'keep' ? undefined : () => stop(started);
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
