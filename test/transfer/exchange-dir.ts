import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, unlink } from 'node:fs/promises';

const LOOP = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const [dir, target] = process.argv.slice(1);
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms * Math.random());
  process.stdout.write('ready');
  for (;;) {
    renameSync(dir, dir + '-away'); symlinkSync(target, dir); pause(1);
    unlinkSync(dir); renameSync(dir + '-away', dir); pause(3);
  }`;

/**
 * Another process replaces a directory with a link to `target` and back, as fast as possible.
 * @returns a function that ends this and leaves the directory in its place
 */
export async function exchange(dir: string, target: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['-e', LOOP, dir, target], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await unlink(dir).catch(() => {});
    await rename(`${dir}-away`, dir).catch(() => {});
  };
}
