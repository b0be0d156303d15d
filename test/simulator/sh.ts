/*
 * The simulator's shell as a program, for suites that run a script under several shells:
 *
 *   node --import tsx test/simulator/sh.ts [--busybox] [--bash] [--dir DIRECTORY]… -c SCRIPT NAME ARG…
 *
 * DIRECTORY is copied into the simulated machine before the script runs, and back when it has ended. Of the environment,
 * everything but PATH is passed on; stdin, stdout and stderr are streamed. Nothing else of this machine is seen by the script.
 */
import { parseArgs } from 'node:util';
import { ScriptHost } from '../../src/simulator/script-host.ts';

const own: string[] = [];
const rest = process.argv.slice(2);
while (/^--(busybox|bash|dir)$/.test(rest[0] ?? '')) own.push(...rest.splice(0, rest[0] === '--dir' ? 2 : 1));
const { values } = parseArgs({
  args: own,
  options: {
    busybox: { type: 'boolean' },
    bash: { type: 'boolean' },
    dir: { type: 'string', multiple: true },
  },
});
const host = new ScriptHost({ flavour: values.busybox ? 'alpine' : 'debian' });
for (const dir of values.dir ?? []) host.importDirectory(dir);
const { PATH: _path, ...environment } = process.env;
const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value ?? '']));
host.files.makeDirectories(process.cwd());
const running = host.start([values.bash ? 'bash' : 'sh', ...rest], {
  env,
  cwd: process.cwd(),
  onStdout: (bytes) => void process.stdout.write(bytes),
  onStderr: (bytes) => void process.stderr.write(bytes),
});
process.stdin.on('data', (bytes) => running.write(bytes));
process.stdin.on('end', () => running.end());
const code = await running.exited;
for (const dir of values.dir ?? []) host.exportDirectory(dir);
process.stdin.destroy();
process.exitCode = code;
