/*
 * npm run eval [-- --write]: what twelve kinds of jobs cost an assistant in calls, characters and tokens, on the simulator.
 * --write makes the result the limit. Exits with 1 if a job is not done or costs more than its limit.
 */
import { table } from '../../src/lib/columns.ts';
import { readLimits, regressions, writeLimits } from './limits.ts';
import { measureJobs } from './measure.ts';

const measured = await measureJobs();
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
if (process.argv.includes('--write')) await writeLimits(measured);
const worse = regressions(measured, await readLimits());
for (const line of worse) console.error(line);
if (worse.length > 0) process.exitCode = 1;
