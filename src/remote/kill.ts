import { messageOf } from '../lib/errors.ts';
import { MARK_VARIABLE, type RunId } from './command-line.ts';
import type { Survivor } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';
import type { RemoteShell, ScriptOutput } from './shell.ts';

/** How long TERM and KILL are given, in looks of 50 ms. */
export interface KillPace {
  readonly soft: number;
  readonly hard: number;
}

/** A second for those that clean up after themselves, two more for the kernel to bury the rest. */
export const NORMAL_PACE: KillPace = { soft: 20, hard: 40 };
/** For the end of the server, which hosts wait no more than five seconds for. */
export const HURRIED_PACE: KillPace = { soft: 4, hard: 24 };
/** What is frozen may not die before it thaws (cgroup v1), but then it does so before its first instruction. */
export const FROZEN_PACE: KillPace = { soft: 0, hard: 4 };

const SCRIPT_LIMIT_MS = 12_000;
const MAX_SURVIVORS = 1_000;

/**
 * Ends all processes of one run and looks again. On the node, which sees the processes of its containers.
 *
 * @param since clock ticks since boot, not later than the start of the run
 * @returns what is still there, normally nothing; null when it could not be looked at (connection gone)
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
      shell.logger.debug({ stderr, code }, 'the kill on the node did not report');
    }
    return survivors;
  } catch (error) {
    shell.logger.warn({ error: messageOf(error) }, 'could not verify the kill');
    return null;
  }
}

/** @returns null unless the script came to its end. */
function survivorsOf({ code, items }: ScriptOutput): Survivor[] | null {
  if (code !== 0) return null;
  return items.slice(0, MAX_SURVIVORS).flatMap(([key, value]) => {
    const match = key === 'left' ? /^([1-9]\d{0,9})(?: (.*))?$/.exec(value) : null;
    return match === null ? [] : [{ pid: Number(match[1]), name: match[2] ?? '' }];
  });
}
