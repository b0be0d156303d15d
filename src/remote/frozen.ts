import { AppError } from '../lib/errors.ts';
import type { RemoteShell } from './remote-shell.ts';
import type { AttachTarget } from './session-requests.ts';

const LOOK_LIMIT_MS = 1_500;

/**
 * Whether all processes of the container are frozen. `pct status` reports such a container as running, but lxc-info reports
 * it as frozen, even while the container does not respond.
 */
export async function isFrozen(shell: RemoteShell, target: AttachTarget): Promise<boolean> {
  if (target.kind !== 'container') return false;
  try {
    const state = await shell.command(['lxc-info', '-n', String(target.vmid), '-s', '-H'], {
      timeoutMs: LOOK_LIMIT_MS,
    });
    return /\bFROZEN\b/.test(state.stdout);
  } catch {
    return false; // the call itself reports connection errors
  }
}

export function frozen(target: AttachTarget): AppError {
  const subject = target.kind === 'container' ? `Container ${target.vmid}` : 'The node';
  const id = target.kind === 'container' ? target.vmid : '';
  return new AppError(
    'CONTAINER_FROZEN',
    `${subject} is frozen: all its processes are suspended. The command was not executed.`,
    `A backup in suspend mode or an administrator has frozen it. Wait for the backup, or ask the administrator to run \`lxc-unfreeze -n ${id}\`.`,
  );
}
