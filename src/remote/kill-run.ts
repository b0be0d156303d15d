import { messageOf } from '../lib/errors.ts';
import type { RemoteShell, ScriptOutput } from './remote-shell.ts';
import type { Survivor } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';
import { MARK_VARIABLE, type RunId } from './session-requests.ts';

/** Time limits for TERM and KILL, in scans every 50 ms; fewer where a scan takes longer. */
export interface KillPace {
  readonly soft: number;
  readonly hard: number;
}

/** One second for processes to clean up after TERM, then two seconds for KILL to take effect. */
export const NORMAL_PACE: KillPace = { soft: 20, hard: 40 };
/** For the shutdown of the server, for which clients wait at most five seconds. */
export const HURRIED_PACE: KillPace = { soft: 4, hard: 24 };
/** For frozen processes. With cgroup v1 they die only when they thaw, before they run another instruction. */
export const FROZEN_PACE: KillPace = { soft: 0, hard: 2 };

const SCRIPT_LIMIT_MS = 20_000;
const MAX_SURVIVORS = 1_000;

/**
 * Kills all processes of one run and verifies it. Runs on the node, where the processes of containers are visible.
 *
 * @param since clock ticks since boot, not later than the start of the run
 * @returns the surviving processes, normally none; null if that could not be verified (connection lost)
 */
export async function killRun(
  shell: RemoteShell,
  run: RunId,
  since: number,
  pace: KillPace,
): Promise<readonly Survivor[] | null> {
  const mark = `${MARK_VARIABLE}=${run.id}`;
  const args = [mark, String(run.slackNs), String(pace.soft), String(pace.hard), String(since)];
  try {
    const output = await shell.script(SCRIPTS.kill, args, { timeoutMs: SCRIPT_LIMIT_MS });
    const survivors = survivorsOf(output);
    if (survivors === null) {
      const { stderr, code } = output;
      shell.logger.debug({ stderr, code }, 'the kill script on the node sent no report');
    }
    return survivors;
  } catch (error) {
    shell.logger.warn({ error: messageOf(error) }, 'could not verify the kill');
    return null;
  }
}

/** @returns null unless the script has finished */
function survivorsOf({ code, items }: ScriptOutput): Survivor[] | null {
  if (code !== 0) return null;
  return items.slice(0, MAX_SURVIVORS).flatMap(([key, value]) => {
    const match = key === 'left' ? /^([1-9]\d{0,9})(?: (.*))?$/.exec(value) : null;
    return match === null ? [] : [{ pid: Number(match[1]), name: match[2] ?? '' }];
  });
}
