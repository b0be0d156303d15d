import { delay } from '../../lib/waits.ts';
import { isNotConnected } from '../../ssh/pool-errors.ts';
import type { LifeCycleResult } from '../proxmox-types.ts';
import { haError, haPending, haUnseen, readHaState } from './ha-state.ts';
import { cancelledMidway, done, isRunning, type LifecycleCall } from './lifecycle-call.ts';

/** HA works in rounds of ten seconds, so a request takes 10 to 30 s. Clients time out before this limit anyway. */
const HA_LIMIT_MS = 45_000;
const HA_POLL_MS = 1_000;

/**
 * Waits until HA has finished the request, on the node where HA places the container. Never starts or stops the container
 * itself. @throws AppError
 */
export async function awaitHa(
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
