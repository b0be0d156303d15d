import { AppError } from '../../lib/errors.ts';
import { disconnected } from '../../remote/errors.ts';
import { delay, type NodeOutput, type RemoteShell } from '../../remote/shell.ts';
import { whyUnusable } from '../inventory/diagnose.ts';
import { findContainer, readInventory } from '../inventory/inventory.ts';
import { containerLocked, pctFailed } from '../pct-errors.ts';
import type { ContainerStatus, ContainerSummary, LifeCycleResult } from '../proxmox-types.ts';

/** A start takes 1.4 s; slow storages and hook scripts take longer. Past this the client has hung up anyway. */
const START_LIMIT_MS = 45_000;
/** pct returns when the container runs, but for one managed by HA it only files the request. */
const ARRIVE_LIMIT_MS = 20_000;
const POLL_MS = 200;
/** LXC's monitor takes this long at most to clear away what a failed start has left. */
const FAILED_START_MS = 2_000;
/** pct waits 10.7 s for a lock that another operation holds, then gives up. */
const LOCK_LIMIT_MS = 12_000;
/** Loading pct and taking the lock come before its own clock starts. */
const PCT_HEAD_START_MS = 1_500;
const KILL_LIMIT_MS = 15_000;

/** What holds a call to what it was decided on. */
export interface Hold {
  /** Runs the command that takes effect first, and refuses to where the decision no longer stands. */
  readonly worker: RemoteShell;
  /** @throws AppError TARGET_CHANGED when this is not the container that the decision was about */
  checked<T extends ContainerSummary>(status: T): T;
  /**
   * For a call that finds nothing to do, and so runs nothing that would be held: uses its approval up all the same, or the
   * same yes could stop what is started later. @throws AppError APPROVAL_USED and others of the guard
   */
  spend(): Promise<void>;
}

function unheld(node: RemoteShell): Hold {
  return { worker: node, checked: (status) => status, spend: async () => {} };
}

/** Starts a container and waits until it runs. @throws AppError */
export async function startContainer(
  node: RemoteShell,
  vmid: number,
  signal: AbortSignal,
  hold: Hold = unheld(node),
): Promise<LifeCycleResult> {
  const since = performance.now();
  const before = hold.checked(await statusOf(node, vmid, signal));
  if (before.local && before.status === 'running') {
    await hold.spend();
    return done(since, false);
  }
  const problem = whyUnusable(before);
  if (problem && problem.code !== 'CONTAINER_NOT_RUNNING') throw problem;
  if (before.lock !== null) throw containerLocked(before.lock, 'start');
  const output = await pct(hold.worker, 'start', vmid, signal);
  if (output.code !== 0) {
    if (await startedByAnother(node, vmid, output, signal)) return done(since, false);
    throw pctFailed('start', output);
  }
  if (await reaches(node, vmid, true, arrival(), signal)) return done(since, true);
  throw new AppError(
    'PCT_FAILED',
    `Proxmox reported success, but container ${vmid} does not run.`,
    `Its init may have ended at once: look at \`journalctl -u pve-container@${vmid}\` on the node.`,
    { stderr: output.stderr },
  );
}

/**
 * Somebody else was faster. That the command socket is there does not say so by itself: that of a start which has just
 * failed is still there for a moment.
 */
async function startedByAnother(
  node: RemoteShell,
  vmid: number,
  output: NodeOutput,
  signal: AbortSignal,
): Promise<boolean> {
  if (/\balready running\b/.test(output.stderr)) return (await isRunning(node, vmid)) === true;
  const end = performance.now() + FAILED_START_MS;
  return !(await reaches(node, vmid, false, () => end, signal));
}

/** Asks a container to shut down, kills it when it does not in time or at once with `force`. @throws AppError */
export async function stopContainer(
  node: RemoteShell,
  vmid: number,
  options: { timeoutS: number; force: boolean; signal: AbortSignal },
  hold: Hold = unheld(node),
): Promise<LifeCycleResult> {
  const since = performance.now();
  const before = hold.checked(await statusOf(node, vmid, options.signal));
  if (before.local && before.status === 'stopped') {
    await hold.spend();
    return done(since, false);
  }
  const problem = whyUnusable(before);
  if (problem) throw problem;
  if (before.lock !== null) throw containerLocked(before.lock, 'stop');
  const how = options.force ? 'killed' : await shutDown(node, hold.worker, vmid, options);
  if (options.force) await pctStop(node, hold.worker, vmid, options.signal);
  if (await reaches(node, vmid, false, arrival(), options.signal)) return { ...done(since, true), how };
  throw new AppError(
    'PCT_FAILED',
    `Proxmox reported success, but container ${vmid} still runs.`,
    'Look at its task log; if it is managed by HA, the manager may need more time.',
  );
}

/**
 * `pct shutdown` of a container that does not obey takes twice its time limit before it fails, and with
 * forceStop does not say that it killed. So we look ourselves, and kill when the time is over. While pct waits for the
 * lock of another operation the guest has not been asked: that time does not count, and nothing is killed in it.
 */
async function shutDown(
  node: RemoteShell,
  worker: RemoteShell,
  vmid: number,
  { timeoutS, signal }: { timeoutS: number; signal: AbortSignal },
): Promise<'shutdown' | 'killed'> {
  const patience = timeoutS * 1000 + PCT_HEAD_START_MS;
  let patienceEnds = Number.POSITIVE_INFINITY;
  let waiting = false;
  let begun = () => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const asked = worker.command(['pct', 'shutdown', String(vmid), '--timeout', String(timeoutS)], {
    timeoutMs: LOCK_LIMIT_MS + 2 * timeoutS * 1000 + KILL_LIMIT_MS,
    signal,
    priority: 'work',
    onStart: () => begun(),
    onStderr: (soFar) => {
      const waited = waiting;
      waiting = /acquire lock\.\.\.$/.test(soFar);
      if (waiting) patienceEnds = performance.now() + LOCK_LIMIT_MS + patience;
      else if (waited) patienceEnds = performance.now() + patience;
    },
  });
  // Nothing is killed before it is certain that the guest may be asked at all.
  await Promise.race([asked, beginning]);
  patienceEnds = performance.now() + patience;
  const early = await Promise.race([asked, reaches(node, vmid, false, () => patienceEnds, signal)]);
  if (early === true) {
    await settled(asked); // it still holds the lock that a start would need
    return 'shutdown';
  }
  if (early !== false) {
    refuseUnfinished(early, 'shutdown');
    const end = performance.now() + (early.code === 0 ? patience : 0);
    if (await reaches(node, vmid, false, () => end, signal)) return 'shutdown';
    if (early.code !== 0 && !/did not stop/.test(early.stderr)) throw pctFailed('shutdown', early);
  }
  if (signal.aborted) throw cancelledMidway('shutdown');
  // What `pct stop` would do, without waiting for the lock that `pct shutdown` still holds.
  const kill = await node.command(['lxc-stop', '-n', String(vmid), '-k'], { timeoutMs: KILL_LIMIT_MS });
  await settled(asked);
  if (kill.code !== 0 && (await isRunning(node, vmid))) await pctStop(node, node, vmid, signal);
  return 'killed';
}

async function pctStop(
  node: RemoteShell,
  worker: RemoteShell,
  vmid: number,
  signal: AbortSignal,
): Promise<void> {
  const output = await pct(worker, 'stop', vmid, signal);
  if (output.code !== 0 && (await isRunning(node, vmid))) throw pctFailed('stop', output);
}

/** Runs a verb of pct that takes nothing but the VMID, to its end. @throws AppError when that does not come */
async function pct(node: RemoteShell, verb: 'start' | 'stop', vmid: number, signal: AbortSignal) {
  const options = { timeoutMs: START_LIMIT_MS, signal, priority: 'work' } as const;
  const output = await node.command(['pct', verb, String(vmid)], options);
  refuseUnfinished(output, verb);
  return output;
}

async function statusOf(node: RemoteShell, vmid: number, signal: AbortSignal): Promise<ContainerStatus> {
  return findContainer(await readInventory(node, signal, { about: vmid }), vmid);
}

/**
 * A container runs if and only if its command socket is there (PVE-measured).
 * @returns undefined when the question was not answered; that must not be taken for "no"
 */
async function isRunning(node: RemoteShell, vmid: number): Promise<boolean | undefined> {
  const pattern = `@/var/lib/lxc/${vmid}/command$`;
  const count = await node.ask(['grep', '-c', pattern, '/proc/net/unix']);
  return /^\d+$/.test(count) ? Number(count) > 0 : undefined;
}

/** Waits until the container runs, or runs no more. @returns whether that came about before `end`, which may move */
async function reaches(
  node: RemoteShell,
  vmid: number,
  running: boolean,
  end: () => number,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    if ((await isRunning(node, vmid)) === running) return true;
    if (performance.now() >= end() || signal.aborted) return false;
    await delay(POLL_MS);
  }
}

function arrival(): () => number {
  const end = performance.now() + ARRIVE_LIMIT_MS;
  return () => end;
}

/** Closing the channel does not end pct; so whatever we did not wait for still goes on, and we say so. */
function refuseUnfinished(output: NodeOutput, verb: string): void {
  if (output.ended === 'exit') return;
  if (output.ended === 'disconnected') throw disconnected(`\`pct ${verb}\` was at work, which goes on`);
  if (output.ended === 'cancelled') throw cancelledMidway(verb);
  throw new AppError(
    'TIMEOUT',
    `\`pct ${verb}\` has not come to an end yet and goes on without us.`,
    'Look with proxmox_container_status in a while.',
  );
}

function cancelledMidway(verb: string): AppError {
  return new AppError(
    'CANCELLED',
    `The call was cancelled; \`pct ${verb}\` can't be called back and goes on.`,
    'Look with proxmox_container_status.',
  );
}

async function settled(asked: Promise<NodeOutput>): Promise<void> {
  await Promise.race([asked.catch(() => undefined), delay(8_000)]);
}

function done(since: number, changed: boolean): LifeCycleResult {
  return { changed, durationMs: Math.round(performance.now() - since) };
}
