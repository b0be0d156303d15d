import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtServer } from './build.ts';
import { findRig, rigDirectory } from './rig/info.ts';

/**
 * Builds the server that the tests start; SERVER_ENTRY selects another one, for example src/bin.ts. Starts the rig if the
 * machine can run it, and stops it at the end if it did not run before. RIG=off never starts it, RIG=keep leaves it running.
 * Without the rig, the suites that need it are skipped by name, with the reason.
 */
export function setup(project: TestProject): (() => void) | undefined {
  // Inherited by the workers.
  process.env.SERVER_ENTRY ||= builtServer();
  project.provide('rigFailure', '');
  if ('info' in findRig() || process.env.RIG === 'off' || process.platform !== 'linux') {
    return undefined;
  }
  const up = spawnSync(join(rigDirectory, 'up'), { encoding: 'utf8', stdio: ['ignore', 'inherit', 'pipe'] });
  if (up.status !== 0) {
    const reason = up.stderr.trim().split('\n').at(0) ?? String(up.error);
    project.provide('rigFailure', reason);
    return undefined;
  }
  if (process.env.RIG === 'keep') {
    return undefined;
  }
  return () => {
    const found = findRig();
    if ('info' in found) {
      // The suites of other runs hold this lock while they use the rig.
      spawnSync('flock', [found.info.paths.state, join(rigDirectory, 'down')], { stdio: 'inherit' });
    }
  };
}
