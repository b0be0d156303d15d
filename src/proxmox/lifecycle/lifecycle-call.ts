import { AppError } from '../../lib/errors.ts';
import { delay } from '../../lib/waits.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import type { NodeOutput, RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { findContainer, readInventory } from '../inventory/inventory.ts';
import type { ContainerStatus, LifeCycleResult } from '../proxmox-types.ts';

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

/** A start takes 1.4 s, or longer with slow storage and hook scripts. Clients time out before this limit anyway. */
export const START_LIMIT_MS = 45_000;
/** pct returns when the container is running. For an HA-managed container it only sends the request. */
const ARRIVE_LIMIT_MS = 20_000;
const POLL_MS = 200;
const LOOK_LIMIT_MS = 5_000;

/** Runs a pct command that needs only the VMID, and waits until it ends. @throws AppError if it does not end or fails */
export async function pct(
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
export async function checkedStatus({
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
export async function redeem({ shell, precondition, signal }: LifecycleCall): Promise<void> {
  if (precondition?.redeems === true) await shell.touch({ timeoutMs: LOOK_LIMIT_MS, signal, precondition });
}

/**
 * A container is running if and only if its command socket exists (measured on PVE).
 * @returns undefined if the check did not succeed, which must not be interpreted as "not running"
 */
export async function isRunning(shell: RemoteShell, vmid: number): Promise<boolean | undefined> {
  const { items } = await shell.script(SCRIPTS.runState, [String(vmid)], { timeoutMs: LOOK_LIMIT_MS });
  const [state] = items[0] ?? [];
  return state === undefined ? undefined : state === 'running';
}

/** Waits until the container is running, or no longer is. @returns whether that happened before `end`, which may change */
export async function awaitState(
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

/** Until when the container must be in the new state, after pct has succeeded. For `awaitState`. */
export function stateLimit(): () => number {
  const end = performance.now() + ARRIVE_LIMIT_MS;
  return () => end;
}

/** @throws AppError if pct did not end: closing the channel does not stop it, so the error says that it continues */
export function refuseUnfinished(output: NodeOutput, verb: string): void {
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

/** The error for a cancelled call whose pct command continues on the node. */
export function cancelledMidway(verb: string): AppError {
  return new AppError(
    'CANCELLED',
    `The call was cancelled, but \`pct ${verb}\` cannot be stopped and continues in the background.`,
    'Check the result with proxmox_container_status.',
  );
}

/** The result. @param since when the call began */
export function done(since: number, changed: boolean): LifeCycleResult {
  return { changed, durationMs: Math.round(performance.now() - since) };
}
