import { groupBy } from '../../lib/group-by.ts';
import type { CapturedStream, CapturedStreams, ExecResult } from '../../proxmox/proxmox-types.ts';

/** A run of a command in one container. Runs are equal if these fields and their outputs are. */
export interface RunOutput {
  readonly vmid: number;
  readonly of: 'command' | 'check';
  readonly result: ExecResult;
}

/** Runs with the same end and the same output. */
export interface OutputGroup extends CapturedStreams {
  readonly vmids: readonly number[];
  readonly of: RunOutput['of'];
  readonly exitCode: number | null;
}

/**
 * Groups runs with equal exit codes and outputs, the largest group first, and cuts the outputs to `limit` characters in all.
 * Outputs are equal only if all their bytes are, also those that are not shown.
 */
export function groupOutputs(runs: readonly RunOutput[], limit: number): OutputGroup[] {
  const groups = [...groupBy(runs, keyOf).values()].sort((a, b) => b.length - a.length);
  const lengths = groups.map(([first]) => (first === undefined ? 0 : lengthOf(first.result)));
  const shares = fairShares(lengths, limit);
  return groups.flatMap((group, index) => {
    const [first] = group;
    if (first === undefined) return [];
    const { of, result } = first;
    const share = shares[index] ?? 0;
    const { stdout, stderr } = lengthOf(result) <= share ? result : result.shorten(share);
    return [{ vmids: group.map(({ vmid }) => vmid), of, exitCode: result.exitCode, stdout, stderr }];
  });
}

/** Divides `limit` equally. The rest of the share of a short item is divided among the longer ones. */
export function fairShares(lengths: readonly number[], limit: number): number[] {
  const shares = lengths.map(() => 0);
  let left = limit;
  const ascending = [...lengths.entries()].sort(([, a], [, b]) => a - b);
  for (const [position, [index, length]] of ascending.entries()) {
    const share = Math.min(length, Math.floor(left / (ascending.length - position)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function lengthOf({ stdout, stderr }: CapturedStreams): number {
  return stdout.text.length + stderr.text.length;
}

function keyOf({ of, result }: RunOutput): string {
  const { ended, exitCode, stdout, stderr } = result;
  return JSON.stringify([of, ended, exitCode, ...streamKey(stdout), ...streamKey(stderr)]);
}

/**
 * Compares what was printed, not what is shown: an escape may look like text that another container has printed, and different
 * bytes that are not UTF-8, or different secrets, are shown as the same.
 */
function streamKey({ text, originalLength, digest }: CapturedStream): unknown[] {
  return [text, originalLength, digest];
}
