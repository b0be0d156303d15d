/*
 * npm run eval [-- --rig] [--write]: the cost of fourteen kinds of tasks for an assistant in calls, characters and tokens, on the
 * simulator, or on the rig if it runs (test/rig/up). --write makes the result the limit. Exits with 1 if a task is incomplete
 * or costs more than its limit.
 */
import { table } from '../../src/lib/columns.ts';
import { findRig } from '../rig/info.ts';
import { holdLock, Rig } from '../rig/rig.ts';
import { readLimits, regressions, writeLimits } from './limits.ts';
import { type Measured, measureJobs } from './measure.ts';
import { onRig } from './on-rig.ts';
import { onSimulator } from './on-simulator.ts';

const node = process.argv.includes('--rig') ? 'rig' : 'simulator';
const measured = node === 'rig' ? await measureOnRig() : await onSimulator(measureJobs);
const sum = (unit: 'calls' | 'characters' | 'tokens') =>
  String(measured.reduce((total, each) => total + each[unit], 0));
console.log(
  table([
    ['JOB', 'CALLS', 'CHARACTERS', 'TOKENS'],
    ...measured.map(({ job, calls, characters, tokens }) => [
      job,
      String(calls),
      String(characters),
      String(tokens),
    ]),
    ['all', sum('calls'), sum('characters'), sum('tokens')],
  ]),
);
if (process.argv.includes('--write')) await writeLimits(node, measured);
const worse = regressions(measured, await readLimits(node));
for (const line of worse) console.error(line);
if (worse.length > 0) process.exitCode = 1;

/** With the lock of the test suites, so that no suite uses the rig meanwhile. */
async function measureOnRig(): Promise<Measured[]> {
  const found = findRig();
  if ('reason' in found) throw new Error(found.reason);
  const rig = new Rig(found.info);
  const release = await holdLock(['flock', found.info.paths.state, 'sh', '-c', 'echo held; exec cat']);
  try {
    await rig.reset();
    return await onRig(rig, measureJobs);
  } finally {
    await release();
  }
}
