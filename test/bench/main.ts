/*
 * npm run bench [-- --json] [measure …]: what the built server costs, compared with a floor measured in the same run.
 * SERVER_ENTRY selects another build. Exits with 1 if a limit is missed.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRig, rigDirectory } from '../rig/info.ts';
import { holdLock, Rig, type Undo } from '../rig/rig.ts';
import { must } from '../rig/run.ts';
import { Bench } from './bench.ts';
import { burst, exec } from './calls.ts';
import { cluster } from './cluster.ts';
import { governance } from './governance.ts';
import { list } from './list.ts';
import { isMet, type Row } from './measure.ts';
import { memory } from './memory.ts';
import { record } from './record.ts';
import { start } from './start.ts';
import { jsonOf, tableOf } from './table.ts';
import { transfers } from './transfers.ts';

const MEASURES: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  // First: a process that has grown takes longer to start another one, and would add that to both sides.
  start,
  exec,
  list,
  burst,
  transfers,
  record,
  memory,
  governance,
  cluster,
};

/** Measures with their own nodes. */
const WITHOUT_RIG: readonly string[] = ['cluster'];

const args = process.argv.slice(2);
const json = args.includes('--json');
const names = args.filter((arg) => !arg.startsWith('--'));
process.exitCode = await main(names.length === 0 ? Object.keys(MEASURES) : names);

async function main(wanted: readonly string[]): Promise<number> {
  const measures = wanted.map((name) => {
    const measure = MEASURES[name];
    if (measure === undefined)
      throw new Error(`there is no measure ${name}; there are ${Object.keys(MEASURES).join(', ')}`);
    return { name, measure };
  });
  await buildServer();
  const needed = wanted.some((name) => !WITHOUT_RIG.includes(name));
  const { rig, release } = needed ? await takeRig() : { rig: undefined, release: async () => {} };
  const rows: Row[] = [];
  try {
    await rig?.reset();
    for (const { name, measure } of measures) {
      tell(`measuring ${name} …`);
      rows.push(...(await inBench(rig, measure)));
    }
  } finally {
    await release();
  }
  console.log(json ? jsonOf(rows) : tableOf(rows, process.stdout.isTTY === true && !process.env.NO_COLOR));
  return rows.some((row) => isMet(row) === false) ? 1 : 0;
}

async function inBench(rig: Rig | undefined, measure: (bench: Bench) => Promise<Row[]>): Promise<Row[]> {
  const bench = new Bench(rig);
  const interrupted = () => void bench.end().finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    return await measure(bench);
  } finally {
    await bench.end();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
}

async function buildServer(): Promise<void> {
  if (process.env.SERVER_ENTRY !== undefined) return;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await must(['npm', '--prefix', root, 'run', '--silent', 'build']);
  process.env.SERVER_ENTRY = join(root, 'dist/bin.js');
}

/** Starts the rig if needed, stops it afterwards, and takes the lock of the test suites, so that nothing else uses the rig. */
async function takeRig(): Promise<{ rig: Rig; release: Undo }> {
  let started = false;
  for (;;) {
    const up = findRig();
    if ('reason' in up) {
      tell('bringing up the rig …');
      await must([join(rigDirectory, 'up')], { env: { RIG_PVE_CACHE: '1' } });
      started = true;
      continue;
    }
    const release = await holdLock(['flock', up.info.paths.state, 'sh', '-c', 'echo held; exec cat']);
    // The previous holder of the lock may have stopped the rig.
    const found = findRig();
    if ('info' in found) {
      const end = async () => {
        await release();
        if (started && process.env.RIG !== 'keep') await must([join(rigDirectory, 'down')]);
      };
      return { rig: new Rig(found.info), release: end };
    }
    await release();
  }
}

/** Progress for people; not part of the result. */
function tell(text: string): void {
  if (process.stderr.isTTY === true) process.stderr.write(`${text}\n`);
}
