import { AppError } from '../../lib/errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';

const LIMIT_MS = 5_000;
/** With fewer free processes than this, the search of a log cannot start all its programs. */
const FEW = 16;

/**
 * Finds out whether a command failed because a limit of its target is reached. For use after a failure: it asks the node.
 * @returns a sentence about the limit; null if none is reached, or if that cannot be found out
 */
export async function reachedLimit(
  shell: Pick<RemoteShell, 'script'>,
  target: AttachTarget,
  signal: AbortSignal,
): Promise<string | null> {
  const vmid = target.kind === 'container' ? String(target.vmid) : '';
  try {
    const { items } = await shell.script(SCRIPTS.limits, [vmid], { timeoutMs: LIMIT_MS, signal });
    return limitSentence(items, target);
  } catch (error) {
    // The node itself may have reached one.
    if (error instanceof AppError && error.code === 'SSH_NO_SESSION') return error.message;
    return null;
  }
}

/** What limits.sh reported, in words. @returns null if no limit is reached */
export function limitSentence(
  items: readonly (readonly [key: string, value: string])[],
  target: AttachTarget,
): string | null {
  const where = target.kind === 'container' ? `Container ${target.vmid}` : 'The node';
  for (const [key, value] of items) {
    const [used = 0, limit = 0] = value.split(' ').map(Number);
    if (key === 'pids' && limit > 0 && limit - used < FEW) {
      return `${where} has ${used} of at most ${limit} processes.`;
    }
    if (key === 'killed' && used > 0) {
      const size = limit > 0 && limit < 2 ** 60 ? ` of ${Math.round(limit / 1024 ** 2)} MiB` : '';
      const what = used === 1 ? '1 process' : `${used} processes`;
      return `${where} has reached its memory limit${size}: the kernel has killed ${what} of it since its start.`;
    }
  }
  return null;
}

/** What to do about a limit that a container has reached. */
export const LIMIT_HINT = {
  model:
    'Tell the user that the container has reached a limit: end processes in it, or let the user raise the limit or restart it.',
  person:
    'End processes of the container, restart it, or raise the limit: `pct set VMID --memory MIB` for memory, `lxc.cgroup2.pids.max` in its configuration for processes.',
} as const;

/** Adds the reached limit to the error of a transfer whose programs may have been unable to start. Other errors stay as they are. */
export async function withReachedLimit(
  error: unknown,
  shell: Pick<RemoteShell, 'script'>,
  target: AttachTarget,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof AppError) || error.code !== 'TRANSFER_FAILED') return error;
  const limit = await reachedLimit(shell, target, signal);
  if (limit === null) return error;
  const { code, message, stderr } = error;
  const hint = target.kind === 'container' ? LIMIT_HINT : error.hint;
  return new AppError(code, `${message} ${limit}`, hint, stderr === undefined ? {} : { stderr });
}
