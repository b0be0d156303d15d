/*
 * Runs shellcheck on the scripts for nodes and containers (POSIX sh) and on the bash scripts of this repository.
 * Passes with a message if shellcheck is not installed; fails in CI.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const remote = filesIn('src/remote/scripts');
const own = ['.ci/run', ...filesIn('scripts')];

if (spawnSync('shellcheck', ['--version']).error !== undefined) {
  console.log(
    'shellcheck is not installed: the shell scripts were not checked (Debian: apt install shellcheck)',
  );
  process.exitCode = process.env.CI ? 1 : 0;
} else if ([check('--shell=sh', ...remote), check('--severity=warning', ...own)].includes(false)) {
  process.exitCode = 1;
} else {
  console.log(`shellcheck has no findings in ${remote.length + own.length} scripts`);
}

function filesIn(folder) {
  return readdirSync(`${root}/${folder}`)
    .filter((file) => file.endsWith('.sh'))
    .map((file) => `${folder}/${file}`);
}

function check(...args) {
  return spawnSync('shellcheck', args, { cwd: root, stdio: 'inherit' }).status === 0;
}
