import { messageOf } from '../lib/errors.ts';
import {
  type AttachTarget,
  buildCommandLine,
  MARK_VARIABLE,
  newRunId,
  type RunId,
  shellArgv,
} from './command-line.ts';
import type { Survivor } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';
import type { NodeOutput, RemoteShell } from './shell.ts';

/** How long TERM and KILL are given, in looks of 50 ms. */
export interface KillPace {
  readonly soft: number;
  readonly hard: number;
}

/** A second for those that clean up after themselves, two more for the kernel to bury the rest. */
export const NORMAL_PACE: KillPace = { soft: 20, hard: 40 };
/** For the end of the server, which hosts wait no more than five seconds for. */
export const HURRIED_PACE: KillPace = { soft: 6, hard: 24 };

/** What is frozen may not die before it thaws (cgroup v1), but then it does so before its first instruction. */
export const FROZEN_PACE: KillPace = { soft: 0, hard: 4 };

const SCRIPT_LIMIT_MS = 12_000;

/**
 * Ends all processes of one run and looks again.
 *
 * @returns what is still there, normally nothing; null when nobody could look (connection gone, sudo refused).
 */
export async function killRun(
  node: RemoteShell,
  entry: AttachTarget,
  mark: RunId,
  pace: KillPace,
): Promise<readonly Survivor[] | null> {
  const args = [`${MARK_VARIABLE}=${mark.id}`, String(mark.slackNs), String(pace.soft), String(pace.hard)];
  try {
    const fromHost = await node.script(SCRIPTS.kill, args, { timeoutMs: SCRIPT_LIMIT_MS });
    const survivors = parseKillReport(fromHost);
    if (survivors !== null) return survivors;
    node.logger.debug(
      { stderr: fromHost.stderr, code: fromHost.code },
      'the kill on the node did not report',
    );
    // Rules that allow nothing but pct leave the way through the container's own /proc.
    if (entry.kind === 'container') return await killFromInside(node, entry, args);
    return null;
  } catch (error) {
    node.logger.warn({ error: messageOf(error) }, 'could not verify the kill');
    return null;
  }
}

async function killFromInside(
  node: RemoteShell,
  entry: AttachTarget,
  args: readonly string[],
): Promise<readonly Survivor[] | null> {
  // A mark of its own: with the mark of the run the killer would find itself.
  const line = buildCommandLine(entry, newRunId(), shellArgv(SCRIPTS.kill, args));
  return parseKillReport(await node.run(line, { timeoutMs: SCRIPT_LIMIT_MS }));
}

/** @returns null unless the script came to its end. */
export function parseKillReport(output: Pick<NodeOutput, 'stdout'>): Survivor[] | null {
  const lines = output.stdout.split('\n');
  if (!lines.includes('done')) return null;
  const survivors: Survivor[] = [];
  for (const line of lines) {
    const match = /^left (\d+) (.*)$/.exec(line);
    if (match) survivors.push({ pid: Number(match[1]), name: match[2] ?? '' });
  }
  return survivors;
}
