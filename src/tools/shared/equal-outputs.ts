import { computingTime } from '../../lib/computing-time.ts';
import { groupBy } from '../../lib/group-by.ts';
import type { CapturedStream, CapturedStreams, ExecResult } from '../../proxmox/proxmox-types.ts';
import { COMPARE_MS, differenceBetween, type StreamDiff } from './similar-outputs.ts';

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
  /** In place of the output, its difference from that of another container. */
  readonly difference?: { readonly from: number; readonly streams: readonly StreamDiff[] };
}

/**
 * Groups runs with equal exit codes and outputs, the largest group first, and cuts the outputs to `limit` characters in all.
 * Outputs are equal only if all their bytes are, also those that are not shown. If they exceed the limit, those that are similar
 * to the one of the largest group are replaced by their difference from it, which would otherwise be in parts that are cut.
 */
export function groupOutputs(runs: readonly RunOutput[], limit: number): OutputGroup[] {
  const groups = [...groupBy(runs, keyOf).values()].sort((a, b) => b.length - a.length);
  const firsts = groups.flatMap(([first]) => (first === undefined ? [] : [first]));
  const full = firsts.map(({ result }) => lengthOf(result));
  const isOver = full.reduce((sum, length) => sum + length, 0) > limit;
  const differences = isOver ? differencesOf(firsts) : new Map<RunOutput, OutputGroup['difference']>();
  const lengths = firsts.map((first, index) => {
    const streams = differences.get(first)?.streams;
    return streams?.reduce((sum, { diff }) => sum + diff.length, 0) ?? full[index] ?? 0;
  });
  const shares = usefulShares(firsts, lengths, limit);
  return firsts.map((first, index) => {
    const { of, result } = first;
    const share = shares[index] ?? 0;
    const difference = share < (lengths[index] ?? 0) ? undefined : differences.get(first);
    const isWhole = difference === undefined && lengthOf(result) <= share;
    const { stdout, stderr } = isWhole ? result : result.shorten(difference === undefined ? share : 0);
    const vmids = (groups[index] ?? []).map(({ vmid }) => vmid);
    return { vmids, of, exitCode: result.exitCode, stdout, stderr, ...(difference && { difference }) };
  });
}

/** The differences of outputs from the first one of the same command. */
function differencesOf(runs: readonly RunOutput[]): Map<RunOutput, OutputGroup['difference']> {
  const until = computingTime() + COMPARE_MS;
  const found = new Map<RunOutput, OutputGroup['difference']>();
  const bases = new Map<RunOutput['of'], RunOutput>();
  for (const run of runs) {
    const base = bases.get(run.of);
    if (base === undefined) {
      bases.set(run.of, run);
      continue;
    }
    const streams = differenceBetween(textsOf(base), textsOf(run), until);
    if (streams !== null && streams.length > 0) found.set(run, { from: base.vmid, streams });
  }
  return found;
}

function textsOf({ result: { stdout, stderr } }: RunOutput) {
  return { stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated };
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

/** Characters of an output that is cut, at least. Fewer show little more than that something is missing. */
const LEAST_SHARE = 100;

/**
 * Fair shares of the limit. If those were too small to be useful, the first outputs are shown and the others are not; those of
 * commands that failed come first.
 */
function usefulShares(firsts: readonly RunOutput[], lengths: readonly number[], limit: number): number[] {
  const shares = fairShares(lengths, limit);
  const needed = lengths.map((length) => Math.min(length, LEAST_SHARE, limit));
  if (shares.every((share, index) => share >= (needed[index] ?? 0))) return shares;
  let left = limit;
  const hasFailed = (index: number) => Number(firsts[index]?.result.exitCode !== 0);
  for (const index of [...shares.keys()].sort((a, b) => hasFailed(b) - hasFailed(a))) {
    const wanted = needed[index] ?? 0;
    const share = wanted <= left ? wanted : 0;
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function lengthOf({ stdout, stderr }: CapturedStreams): number {
  return stdout.text.length + stderr.text.length;
}

function keyOf({ of, result }: RunOutput): string {
  return JSON.stringify([of, result.ended, result.exitCode, keyOfStreams(result)]);
}

/**
 * The same for equal outputs only. Compares what was printed, not what is shown: an escape may look like text that another
 * container has printed, and different bytes that are not UTF-8, or different secrets, are shown as the same.
 */
export function keyOfStreams({ stdout, stderr }: CapturedStreams): string {
  return JSON.stringify([...streamKey(stdout), ...streamKey(stderr)]);
}

function streamKey({ text, originalLength, digest }: CapturedStream): unknown[] {
  return [digest ?? text, originalLength];
}
