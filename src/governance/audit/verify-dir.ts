import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findKey, type KeySource } from './audit-key.ts';
import { reasonOf } from './failures.ts';
import {
  appendToLedger,
  type Ledger,
  type LedgerEntry,
  type LedgerSegment,
  ledgerFile,
  readLedger,
} from './ledger.ts';
import { argumentsMac } from './logged-arguments.ts';
import { listSegments } from './segments.ts';
import { compareWithLedger, unfinishedIn } from './verify-ledger.ts';
import { type Finding, type SegmentReport, verifySegment } from './verify-segment.ts';

export interface Verification {
  readonly segments: number;
  readonly entries: number;
  readonly calls: number;
  /** Segments that the ledger proves to be complete; of the others, the last entries may be missing. */
  readonly complete: number;
  readonly findings: readonly Finding[];
  /** The result for the claim that was asked about. */
  readonly claim?: ClaimResult | undefined;
}

/** `proved`: the call was logged with exactly these arguments. */
export type ClaimResult = 'proved' | 'other arguments' | 'no such call' | 'no proof';

export interface VerifyOptions extends KeySource {
  readonly dir: string;
  /** Differences between segments and ledger become notes, and the ledger is changed to what is there. */
  readonly accept: boolean;
  /** A call and the arguments that it is said to have had. */
  readonly claim?: { readonly call: string; readonly args: Readonly<Record<string, unknown>> } | undefined;
}

const NO_LEDGER: Ledger = { segments: new Map(), damagedLines: [] };

/**
 * Verifies every segment of a directory and compares them with the ledger.
 * @throws Error when key, ledger or directory cannot be read
 */
export async function verifyDirectory(options: VerifyOptions): Promise<Verification> {
  const { dir, stateDir, accept } = options;
  const key = await findKey(options);
  if (key === undefined) {
    if ((await listSegments(dir)).length === 0)
      return { segments: 0, entries: 0, calls: 0, complete: 0, findings: [] };
    throw new Error(`there is no key to verify it with: audit.key in ${stateDir} is missing`);
  }
  // First the ledger: whatever it says, the segments contain already. A segment that is created meanwhile is in it later.
  const before = (await readLedger(options, key)) ?? NO_LEDGER;
  const reports = await readSegments(dir, key);
  const unknown = reports.some(({ name, head }) => head !== undefined && !before.segments.has(name));
  const after = unknown ? ((await readLedger(options, key)) ?? NO_LEDGER) : before;
  const ledger = { ...after, segments: new Map([...createdIn(after), ...before.segments]) };

  const compared = compareWithLedger(reports, ledger, new Date());
  const absences = [...ledgerDamage(options, ledger), ...compared.findings];
  const findings = [
    ...reports.flatMap((report) => report.findings),
    ...(accept ? absences.map(accepted) : absences),
    ...unfinishedIn(reports, ledger),
  ];
  const due: readonly LedgerEntry[] = [...(accept ? compared.acceptance : []), ...compared.seen];
  if (due.length > 0) {
    await appendToLedger(options, due, key).catch((error: unknown) =>
      findings.push({ kind: 'note', segment: path.basename(ledgerFile(options)), text: reasonOf(error) }),
    );
  }
  return {
    segments: reports.length,
    entries: reports.reduce((sum, { entries }) => sum + entries, 0),
    calls: reports.reduce((sum, { calls }) => sum + begunIn(calls), 0),
    complete: compared.complete,
    findings,
    claim: options.claim === undefined ? undefined : checkClaim(options.claim, reports, key),
  };
}

/** Lists the directory until no further segment appears: one that is full is rotated while it is read. */
async function readSegments(dir: string, key: Uint8Array): Promise<SegmentReport[]> {
  const reports = new Map<string, SegmentReport>();
  for (;;) {
    const unread = (await listSegments(dir)).filter((name) => !reports.has(name));
    if (unread.length === 0) return [...reports.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const name of unread) {
      reports.set(name, verifySegment(name, await readFile(path.join(dir, name)), key));
    }
  }
}

/** Of a later ledger only that segments exist: their ends may be later than what was read of them. */
function* createdIn({ segments }: Ledger): Generator<[string, LedgerSegment]> {
  for (const [name, segment] of segments) yield [name, { ...segment, head: undefined, ended: false }];
}

function ledgerDamage(options: VerifyOptions, { damagedLines }: Ledger): Finding[] {
  if (damagedLines.length === 0) return [];
  const lines = damagedLines.slice(0, 10).join(', ');
  const text = `line ${lines} was edited or damaged, or written with another key: what it said about segments is unknown`;
  return [{ kind: 'damage', segment: path.basename(ledgerFile(options)), text }];
}

function accepted({ segment, text }: Finding): Finding {
  return { kind: 'note', segment, text: `accepted: ${text}` };
}

function begunIn(calls: SegmentReport['calls']): number {
  return [...calls.values()].filter(({ type }) => type === 'begin').length;
}

function checkClaim(
  { call, args }: NonNullable<VerifyOptions['claim']>,
  reports: readonly SegmentReport[],
  key: Uint8Array,
): ClaimResult {
  const logged = reports.flatMap(({ calls }) => calls.get(call) ?? [])[0];
  if (logged === undefined) return 'no such call';
  if (logged.argsMac === undefined) return 'no proof';
  return logged.argsMac === argumentsMac(call, args, key) ? 'proved' : 'other arguments';
}
