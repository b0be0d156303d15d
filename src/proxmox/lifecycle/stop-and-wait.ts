import { AppError } from '../../lib/errors.ts';
import { delay } from '../../lib/waits.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import type { NodeOutput } from '../../remote/remote-shell.ts';
import { whyUnusable } from '../inventory/diagnose.ts';
import { containerLocked, noQuorum, pctFailed } from '../pct-errors.ts';
import type { LifeCycleResult } from '../proxmox-types.ts';
import { awaitHa } from './await-ha.ts';
import { type HaState, haError, readHaState } from './ha-state.ts';
import {
  awaitState,
  cancelledMidway,
  checkedStatus,
  done,
  isRunning,
  type LifecycleCall,
  pct,
  redeem,
  refuseUnfinished,
  START_LIMIT_MS,
  stateLimit,
} from './lifecycle-call.ts';

/** pct waits 10.7 s for a lock that another operation holds, then gives up. */
const LOCK_LIMIT_MS = 12_000;
/** Extra time for loading pct and taking the lock, which its own timeout does not include. */
const PCT_HEAD_START_MS = 1_500;
const KILL_LIMIT_MS = 15_000;

/** Shuts down a container, and kills it if it is still running after the timeout, or at once with `force`. @throws AppError */
export async function stopContainer(
  call: LifecycleCall,
  options: { readonly timeoutS: number; readonly force: boolean },
): Promise<LifeCycleResult> {
  const { shell, vmid, signal } = call;
  const since = performance.now();
  const before = await checkedStatus(call);
  if (before.local && before.status === 'stopped') {
    await redeem(call);
    return done(since, false);
  }
  const problem = whyUnusable(before);
  if (problem) throw problem;
  if (before.lock !== null) throw containerLocked(before.lock, 'stop');
  const ha = await readHaState(shell, vmid, signal);
  if (ha.managed && !before.quorate) throw noQuorum('stop');
  if (ha.managed) return stopByHa(call, options, since, before.node, ha);
  const how = options.force ? 'killed' : await shutDown(call, options.timeoutS);
  if (options.force) await pctStop(call, call.precondition);
  if (await awaitState(shell, vmid, false, stateLimit(), signal)) return { ...done(since, true), how };
  throw new AppError(
    'PCT_FAILED',
    `Proxmox reported success, but container ${vmid} is still running.`,
    'Check the task log of the container in the Proxmox web interface.',
  );
}

/** HA has its own timeout and kills the container itself. It would restart a container that is killed without its request. */
async function stopByHa(
  call: LifecycleCall,
  { timeoutS, force }: { readonly timeoutS: number; readonly force: boolean },
  since: number,
  node: string,
  { service }: HaState,
): Promise<LifeCycleResult> {
  const { shell, vmid, signal, precondition } = call;
  if (service === 'error') throw haError(vmid);
  const argv = force
    ? ['pct', 'stop', String(vmid)]
    : ['pct', 'shutdown', String(vmid), '--timeout', String(timeoutS)];
  const options = { timeoutMs: START_LIMIT_MS, signal, priority: 'work', precondition } as const;
  const output = await shell.command(argv, options);
  refuseUnfinished(output, argv[1] ?? '');
  if (output.code !== 0) throw pctFailed(argv[1] ?? '', output);
  return { ...(await awaitHa(call, false, since, node)), how: force ? 'killed' : 'shutdown' };
}

/**
 * If the container does not shut down, `pct shutdown` takes twice its timeout before it fails, and with forceStop it does not
 * report that it has killed. So this function checks the state itself and kills after the timeout. While pct waits for the lock
 * of another operation, the guest has not received the request: that time does not count, and nothing is killed during it.
 */
async function shutDown(call: LifecycleCall, timeoutS: number): Promise<'shutdown' | 'killed'> {
  const { shell, vmid, signal } = call;
  const graceMs = timeoutS * 1000 + PCT_HEAD_START_MS;
  let graceEnds = Number.POSITIVE_INFINITY;
  let waiting = false;
  let begun = () => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const shutdown = shell.command(['pct', 'shutdown', String(vmid), '--timeout', String(timeoutS)], {
    timeoutMs: LOCK_LIMIT_MS + 2 * timeoutS * 1000 + KILL_LIMIT_MS,
    signal,
    priority: 'work',
    precondition: call.precondition,
    onStart: () => begun(),
    onStderr: (soFar) => {
      const waited = waiting;
      waiting = /acquire lock\.\.\.$/.test(soFar);
      if (waiting) graceEnds = performance.now() + LOCK_LIMIT_MS + graceMs;
      else if (waited) graceEnds = performance.now() + graceMs;
    },
  });
  // Nothing is killed before the precondition has been confirmed.
  await Promise.race([shutdown, beginning]);
  graceEnds = performance.now() + graceMs;
  const early = await Promise.race([shutdown, awaitState(shell, vmid, false, () => graceEnds, signal)]);
  if (early === true) {
    await pctHasEnded(shutdown); // until then it has the lock that a start would need
    return 'shutdown';
  }
  if (early !== false) {
    refuseUnfinished(early, 'shutdown');
    const end = performance.now() + (early.code === 0 ? graceMs : 0);
    if (await awaitState(shell, vmid, false, () => end, signal)) return 'shutdown';
    if (early.code !== 0 && !/did not stop/.test(early.stderr)) throw pctFailed('shutdown', early);
  }
  if (signal.aborted) throw cancelledMidway('shutdown');
  // The same as `pct stop`, but without waiting for the lock that `pct shutdown` still has.
  const kill = await shell.command(['lxc-stop', '-n', String(vmid), '-k'], { timeoutMs: KILL_LIMIT_MS });
  await pctHasEnded(shutdown);
  if (kill.code !== 0 && (await isRunning(shell, vmid))) await pctStop(call, null);
  return 'killed';
}

async function pctStop(call: LifecycleCall, precondition: ActivePrecondition | null): Promise<void> {
  const output = await pct(call, 'stop', precondition);
  if (output.code !== 0 && (await isRunning(call.shell, call.vmid))) throw pctFailed('stop', output);
}

/** Waits until pct has ended, and with it its lock, for 8 s at most. */
async function pctHasEnded(shutdown: Promise<NodeOutput>): Promise<void> {
  await Promise.race([shutdown.catch(() => undefined), delay(8_000)]);
}
