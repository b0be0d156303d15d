import { AppError } from '../lib/errors.ts';
import type { AttachTarget } from './command-line.ts';
import type { RemoteShell } from './shell.ts';

const LOOK_LIMIT_MS = 1_500;

/**
 * Whether all processes of the container are frozen. `pct status` calls such a container running; LXC's own
 * state, which its monitor keeps, tells the difference and answers even then.
 */
export async function isFrozen(shell: RemoteShell, target: AttachTarget): Promise<boolean> {
  if (target.kind !== 'container') return false;
  try {
    const state = await shell.command(['lxc-info', '-n', String(target.vmid), '-s', '-H'], {
      timeoutMs: LOOK_LIMIT_MS,
    });
    return /\bFROZEN\b/.test(state.stdout);
  } catch {
    return false; // the call itself will report what is wrong with the connection
  }
}

export function frozen(target: AttachTarget): AppError {
  const subject = target.kind === 'container' ? `Container ${target.vmid}` : 'The node';
  const id = target.kind === 'container' ? target.vmid : '';
  return new AppError(
    'CONTAINER_FROZEN',
    `${subject} is frozen: it counts as running, but none of its processes do. Nothing was run.`,
    `A backup in suspend mode or an admin froze it: wait for the backup, or ask the admin for \`lxc-unfreeze -n ${id}\`.`,
  );
}
