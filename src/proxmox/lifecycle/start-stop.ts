import { AppError } from '../../lib/errors.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { delay, type NodeOutput, type RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { isNotConnected } from '../../ssh/pool-errors.ts';
import { whyUnusable } from '../inventory/diagnose.ts';
import { findContainer, readInventory } from '../inventory/inventory.ts';
import { containerLocked, noQuorum, pctFailed } from '../pct-errors.ts';
import type { ContainerStatus, LifeCycleResult } from '../proxmox-types.ts';
import { type HaState, haError, haPending, haUnseen, readHaState } from './ha-state.ts';

/** A start takes 1.4 s, or longer with slow storage and hook scripts. Clients time out before this limit anyway. */
const START_LIMIT_MS = 45_000;
/** pct returns when the container is running. For an HA-managed container it only sends the request. */
const ARRIVE_LIMIT_MS = 20_000;
const POLL_MS = 200;
/** LXC's monitor needs at most this long to clean up after a failed start. */
const FAILED_START_MS = 2_000;
/** pct waits 10.7 s for a lock that another operation holds, then gives up. */
const LOCK_LIMIT_MS = 12_000;
/** Extra time for loading pct and taking the lock, which its own timeout does not include. */
const PCT_HEAD_START_MS = 1_500;
const KILL_LIMIT_MS = 15_000;
const LOOK_LIMIT_MS = 5_000;

/** HA works in rounds of ten seconds, so a request takes 10 to 30 s. Clients time out before this limit anyway. */
const HA_LIMIT_MS = 45_000;
const HA_POLL_MS = 1_000;

/** One call that starts or stops a container. */
export interface LifecycleCall {
  readonly shell: RemoteShell;
  readonly vmid: number;
  /** Checked when the call takes effect, even if there is nothing to do. */
  readonly precondition: ActivePrecondition | null;
  readonly signal: AbortSignal;
  /** Does work on another node. */
  elsewhere<T>(node: string, work: (shell: RemoteShell) => Promise<T>): Promise<T>;
}

/** Starts a container and waits until it is running. @throws AppError */
export async function startContainer(call: LifecycleCall): Promise<LifeCycleResult> {
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
  if (ha.managed) return awaitHa(call, true, since, before.node);
  if (await reaches(shell, vmid, true, arrival(), signal)) return done(since, true);
  throw new AppError(
    'PCT_FAILED',
    `Proxmox reported success, but container ${vmid} is not running.`,
    `Its init process may have exited at once. Check \`journalctl -u pve-container@${vmid}\` on the node.`,
    { stderr: output.stderr },
  );
}

/** Waits until HA has finished the request, on the node where HA places the container. Never starts or stops the container itself. @throws AppError */
async function awaitHa(
  call: LifecycleCall,
  running: boolean,
  since: number,
  node: string,
): Promise<LifeCycleResult> {
  const { shell, vmid, signal } = call;
  for (;;) {
    const state = await readHaState(shell, vmid, signal);
    const { node: now } = state;
    if (now !== null && now !== node) {
      const follow = call.elsewhere(now, (other) => awaitHa({ ...call, shell: other }, running, since, now));
      return await follow.catch((error: unknown) => {
        throw isNotConnected(error) ? haUnseen(vmid, running ? 'start' : 'stop', now, error) : error;
      });
    }
    if ((await isRunning(shell, vmid)) === running) return done(since, true);
    if (state.service === 'error') throw haError(vmid);
    if (signal.aborted) throw cancelledMidway(running ? 'start' : 'shutdown');
    if (performance.now() - since >= HA_LIMIT_MS) throw haPending(vmid, running ? 'start' : 'stop', state);
    await delay(HA_POLL_MS);
  }
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
  return !(await reaches(shell, vmid, false, () => end, signal));
}

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
  if (await reaches(shell, vmid, false, arrival(), signal)) return { ...done(since, true), how };
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
  const patience = timeoutS * 1000 + PCT_HEAD_START_MS;
  let patienceEnds = Number.POSITIVE_INFINITY;
  let waiting = false;
  let begun = () => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const asked = shell.command(['pct', 'shutdown', String(vmid), '--timeout', String(timeoutS)], {
    timeoutMs: LOCK_LIMIT_MS + 2 * timeoutS * 1000 + KILL_LIMIT_MS,
    signal,
    priority: 'work',
    precondition: call.precondition,
    onStart: () => begun(),
    onStderr: (soFar) => {
      const waited = waiting;
      waiting = /acquire lock\.\.\.$/.test(soFar);
      if (waiting) patienceEnds = performance.now() + LOCK_LIMIT_MS + patience;
      else if (waited) patienceEnds = performance.now() + patience;
    },
  });
  // Nothing is killed before the precondition has been confirmed.
  await Promise.race([asked, beginning]);
  patienceEnds = performance.now() + patience;
  const early = await Promise.race([asked, reaches(shell, vmid, false, () => patienceEnds, signal)]);
  if (early === true) {
    await settled(asked); // it still has the lock that a start would need
    return 'shutdown';
  }
  if (early !== false) {
    refuseUnfinished(early, 'shutdown');
    const end = performance.now() + (early.code === 0 ? patience : 0);
    if (await reaches(shell, vmid, false, () => end, signal)) return 'shutdown';
    if (early.code !== 0 && !/did not stop/.test(early.stderr)) throw pctFailed('shutdown', early);
  }
  if (signal.aborted) throw cancelledMidway('shutdown');
  // The same as `pct stop`, but without waiting for the lock that `pct shutdown` still has.
  const kill = await shell.command(['lxc-stop', '-n', String(vmid), '-k'], { timeoutMs: KILL_LIMIT_MS });
  await settled(asked);
  if (kill.code !== 0 && (await isRunning(shell, vmid))) await pctStop(call, null);
  return 'killed';
}

async function pctStop(call: LifecycleCall, precondition: ActivePrecondition | null): Promise<void> {
  const output = await pct(call, 'stop', precondition);
  if (output.code !== 0 && (await isRunning(call.shell, call.vmid))) throw pctFailed('stop', output);
}

/** Runs a pct command that needs only the VMID, and waits until it ends. @throws AppError if it does not end or fails */
async function pct(
  { shell, vmid, signal }: LifecycleCall,
  verb: 'start' | 'stop',
  precondition: ActivePrecondition | null,
): Promise<NodeOutput> {
  const options = { timeoutMs: START_LIMIT_MS, signal, priority: 'work', precondition } as const;
  const output = await shell.command(['pct', verb, String(vmid)], options);
  refuseUnfinished(output, verb);
  return output;
}

/** @throws AppError TARGET_CHANGED if the container has changed since the decision */
async function checkedStatus({
  shell,
  vmid,
  precondition,
  signal,
}: LifecycleCall): Promise<ContainerStatus & { readonly quorate: boolean }> {
  const inventory = await readInventory(shell, signal);
  const status = { ...findContainer(inventory, vmid), quorate: inventory.quorate };
  return precondition?.checked(status) ?? status;
}

/**
 * Redeems the approval of a call that has nothing to do. Otherwise the approval could be used later to stop the container
 * after it was started again. @throws AppError APPROVAL_USED and other errors of the precondition
 */
async function redeem({ shell, precondition, signal }: LifecycleCall): Promise<void> {
  if (precondition?.redeems === true) await shell.touch({ timeoutMs: LOOK_LIMIT_MS, signal, precondition });
}

/**
 * A container is running if and only if its command socket exists (measured on PVE).
 * @returns undefined if the check did not succeed, which must not be interpreted as "not running"
 */
async function isRunning(shell: RemoteShell, vmid: number): Promise<boolean | undefined> {
  const { items } = await shell.script(SCRIPTS.runState, [String(vmid)], { timeoutMs: LOOK_LIMIT_MS });
  const [state] = items[0] ?? [];
  return state === undefined ? undefined : state === 'running';
}

/** Waits until the container is running, or no longer is. @returns whether that happened before `end`, which may change */
async function reaches(
  shell: RemoteShell,
  vmid: number,
  running: boolean,
  end: () => number,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    if ((await isRunning(shell, vmid)) === running) return true;
    if (performance.now() >= end() || signal.aborted) return false;
    await delay(POLL_MS);
  }
}

function arrival(): () => number {
  const end = performance.now() + ARRIVE_LIMIT_MS;
  return () => end;
}

/** @throws AppError if pct did not end: closing the channel does not stop it, so the error says that it continues */
function refuseUnfinished(output: NodeOutput, verb: string): void {
  if (output.ended === 'exit') return;
  if (output.ended === 'disconnected') {
    throw new AppError(
      'DISCONNECTED',
      `The connection to the node was lost while \`pct ${verb}\` was running. It continues on the node.`,
      'Check the result with proxmox_container_status.',
    );
  }
  if (output.ended === 'cancelled') throw cancelledMidway(verb);
  throw new AppError(
    'TIMEOUT',
    `\`pct ${verb}\` is still running and continues in the background.`,
    'Check the result with proxmox_container_status later.',
  );
}

function cancelledMidway(verb: string): AppError {
  return new AppError(
    'CANCELLED',
    `The call was cancelled, but \`pct ${verb}\` cannot be stopped and continues in the background.`,
    'Check the result with proxmox_container_status.',
  );
}

async function settled(asked: Promise<NodeOutput>): Promise<void> {
  await Promise.race([asked.catch(() => undefined), delay(8_000)]);
}

function done(since: number, changed: boolean): LifeCycleResult {
  return { changed, durationMs: Math.round(performance.now() - since) };
}
