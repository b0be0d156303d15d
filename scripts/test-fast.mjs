/* Runs tests on the sources, without a build and without the rig: npm run test:fast -- FILE… */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const env = { RIG: 'off', SERVER_ENTRY: 'src/bin.ts', ...process.env };
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
