import { AppError } from '../lib/errors.ts';
import type { AttachTarget } from './command-line.ts';
import type { RemoteShell } from './shell.ts';

/** A script of ours that says nothing for this long is looked after: its container may be frozen. */
export const SILENT_START_MS = 800;
const LOOK_LIMIT_MS = 1_500;

/**
 * Whether all processes of the container are frozen. `pct status` calls such a container running; LXC's own
 * state, which its monitor keeps, tells the difference and answers even then.
 */
export async function isFrozen(node: RemoteShell, entry: AttachTarget): Promise<boolean> {
  if (entry.kind !== 'container') return false;
  try {
    const state = await node.command(['lxc-info', '-n', String(entry.vmid), '-s', '-H'], {
      timeoutMs: LOOK_LIMIT_MS,
    });
    return /\bFROZEN\b/.test(state.stdout);
  } catch {
    return false; // the call itself will report what is wrong with the connection
  }
}

export function frozen(entry: AttachTarget): AppError {
  const who = entry.kind === 'container' ? `Container ${entry.vmid}` : 'The node';
  const id = entry.kind === 'container' ? entry.vmid : '';
  return new AppError(
    'CONTAINER_FROZEN',
    `${who} is frozen: it counts as running, but none of its processes do. Nothing was run.`,
    `A backup in suspend mode or an admin froze it: wait for the backup, or ask the admin for \`lxc-unfreeze -n ${id}\`.`,
  );
}
