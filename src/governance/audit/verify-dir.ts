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
import { argumentsMac, canonicalJson } from './logged-arguments.ts';
import { listSegments } from './segments.ts';
import { compareWithLedger, unfinishedIn } from './verify-ledger.ts';
import { type Finding, type SegmentReport, verifySegment, type Wanted } from './verify-segment.ts';

export interface Verification {
  readonly segments: number;
  readonly entries: number;
  readonly calls: number;
  /** Segments that the ledger proves to be complete; of the others, the last entries may be missing. */
  readonly complete: number;
  readonly findings: readonly Finding[];
  /** The result for the claim to verify. */
  readonly claim?: ClaimResult | undefined;
}

/** `proved`: the call was logged with exactly these arguments. */
export type ClaimResult = 'proved' | 'other arguments' | 'no such call' | 'no proof';

export interface VerifyOptions extends KeySource {
  readonly dir: string;
  /** Accept differences between segments and ledger: they become notes, and the ledger is updated. */
  readonly accept: boolean;
  /** A call and its claimed arguments. */
  readonly claim?: { readonly call: string; readonly args: Readonly<Record<string, unknown>> } | undefined;
}

const NO_LEDGER: Ledger = { segments: new Map(), damagedLines: [] };

/**
 * Verifies all segments of a directory and compares them with the ledger.
 * @throws Error if the key, the ledger or the directory cannot be read
 */
export async function verifyDirectory(options: VerifyOptions): Promise<Verification> {
  const { dir, stateDir, accept } = options;
  const key = await findKey(options);
  if (key === undefined) {
    if ((await listSegments(dir)).length === 0)
      return { segments: 0, entries: 0, calls: 0, complete: 0, findings: [] };
    throw new Error(`the audit log cannot be verified, because its key ${stateDir}/audit.key is missing`);
  }
  // The ledger is read first: the segments then contain at least what it says. A segment that is created during the
  // verification is compared with the ledger that is read afterwards.
  const before = (await readLedger(options, key)) ?? NO_LEDGER;
  const reports = await readSegments(dir, key, (name) => ({
    seq: before.segments.get(name)?.head?.seq,
    call: options.claim?.call,
  }));
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
    calls: reports.reduce((sum, { begun }) => sum + begun, 0),
    complete: compared.complete,
    findings,
    claim: options.claim === undefined ? undefined : checkClaim(options.claim, reports, key),
  };
}

/** Lists the directory until no further segment appears, because segments may be rotated during the verification. */
async function readSegments(
  dir: string,
  key: Uint8Array,
  wantedIn: (segment: string) => Wanted,
): Promise<SegmentReport[]> {
  const reports = new Map<string, SegmentReport>();
  for (;;) {
    const unread = (await listSegments(dir)).filter((name) => !reports.has(name));
    if (unread.length === 0) return [...reports.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const name of unread) {
      reports.set(name, verifySegment(name, await readFile(path.join(dir, name)), key, wantedIn(name)));
    }
  }
}

/** Takes only new segments from a later ledger, because its ends may be later than the entries that were read. */
function* createdIn({ segments }: Ledger): Generator<[string, LedgerSegment]> {
  for (const [name, segment] of segments) yield [name, { ...segment, head: undefined, ended: false }];
}

function ledgerDamage(options: VerifyOptions, { damagedLines }: Ledger): Finding[] {
  if (damagedLines.length === 0) return [];
  const lines = damagedLines.slice(0, 10).join(', ');
  const text = `line ${lines} was edited or damaged, or written with another key, so its information about segments is lost`;
  return [{ kind: 'damage', segment: path.basename(ledgerFile(options)), text }];
}

function accepted({ segment, text }: Finding): Finding {
  return { kind: 'note', segment, text: `accepted: ${text}` };
}

function checkClaim(
  { call, args }: NonNullable<VerifyOptions['claim']>,
  reports: readonly SegmentReport[],
  key: Uint8Array,
): ClaimResult {
  const logged = reports.flatMap(({ wantedCall }) => wantedCall ?? [])[0];
  if (logged === undefined) return 'no such call';
  if (logged.argsMac === undefined) return 'no proof';
  return logged.argsMac === argumentsMac(call, canonicalJson(args), key) ? 'proved' : 'other arguments';
}
