import { AppError } from '../../lib/errors.ts';
import type { NodeOutput, RemoteShell } from '../../remote/remote-shell.ts';
import { whyUnusable } from '../inventory/diagnose.ts';
import { containerLocked, noQuorum, pctFailed } from '../pct-errors.ts';
import type { LifeCycleResult } from '../proxmox-types.ts';
import { awaitHa } from './await-ha.ts';
import { haError, readHaState } from './ha-state.ts';
import {
  awaitState,
  checkedStatus,
  done,
  isRunning,
  type LifecycleCall,
  pct,
  redeem,
  stateLimit,
} from './lifecycle-call.ts';
import { readAddresses } from './read-addresses.ts';

/** LXC's monitor needs at most this long to clean up after a failed start. */
const FAILED_START_MS = 2_000;

/** Starts a container, waits until it is running, and a moment longer for its addresses. @throws AppError */
export async function startContainer(call: LifecycleCall): Promise<LifeCycleResult> {
  const result = await start(call);
  // It may have been started on another node.
  if (result.isElsewhere) return result;
  const addresses = await readAddresses(call, result.changed);
  return addresses === null ? result : { ...result, addresses };
}

async function start(call: LifecycleCall): Promise<LifeCycleResult & { readonly isElsewhere?: boolean }> {
  const { shell, vmid, signal } = call;
  const since = performance.now();
  const before = await checkedStatus(call);
  if (before.local && before.status === 'running') {
    await redeem(call);
    return done(since, false);
  }
  const problem = whyUnusable(before);
  if (problem && problem.code !== 'CONTAINER_NOT_RUNNING') throw problem;
  if (before.lock !== null) throw containerLocked(before.lock, 'start');
  if (!before.quorate) throw noQuorum('start');
  const ha = await readHaState(shell, vmid, signal);
  if (ha.managed && ha.service === 'error') throw haError(vmid);
  const output = await pct(call, 'start', call.precondition);
  if (output.code !== 0) {
    if (await startedByAnother(shell, vmid, output, signal)) return done(since, false);
    throw pctFailed('start', output);
  }
  if (ha.managed) return { ...(await awaitHa(call, true, since, before.node)), isElsewhere: true };
  if (await awaitState(shell, vmid, true, stateLimit(), signal)) return done(since, true);
  throw new AppError(
    'PCT_FAILED',
    `Proxmox reported success, but container ${vmid} is not running.`,
    `Its init process may have exited at once. Check \`journalctl -u pve-container@${vmid}\` on the node.`,
    { stderr: output.stderr },
  );
}

/**
 * Whether another process has started the container. The command socket alone does not prove it, because the socket of a failed
 * start still exists for a moment.
 */
async function startedByAnother(
  shell: RemoteShell,
  vmid: number,
  output: NodeOutput,
  signal: AbortSignal,
): Promise<boolean> {
  if (/\balready running\b/.test(output.stderr)) return (await isRunning(shell, vmid)) === true;
  const end = performance.now() + FAILED_START_MS;
  return !(await awaitState(shell, vmid, false, () => end, signal));
}
