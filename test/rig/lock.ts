import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Undoes what the function that returned it has done. */
export type Undo = () => Promise<void>;

/**
 * Runs a command that takes a lock, prints `held` and keeps the lock until its stdin ends, so that the lock ends with this
 * process.
 */
export async function holdLock(argv: readonly [string, ...string[]]): Promise<Undo> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await said(child, child.stdout);
  return async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    }
  };
}

function said(child: ChildProcess, stdout: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the lock was not taken (code ${code})`)));
  });
}
