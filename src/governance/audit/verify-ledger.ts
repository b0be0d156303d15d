import { hostname } from 'node:os';
import { hasErrno } from '../../lib/errno.ts';
import type { EntryOf } from './audit-entry.ts';
import type { Ledger, LedgerEntry, LedgerSegment } from './ledger.ts';
import type { Finding, SegmentReport } from './verify-segment.ts';

export interface Comparison {
  readonly findings: readonly Finding[];
  /** Segments that the ledger proves to be complete. */
  readonly complete: number;
  /** Ledger entries that accept the current state. */
  readonly acceptance: readonly LedgerEntry[];
  /** Ledger entries with the last entries of segments without an end. */
  readonly seen: readonly LedgerEntry[];
}

/** Compares each segment with its ledger entries. @param reports with the MAC of the last entry of the segment in the ledger */
export function compareWithLedger(reports: readonly SegmentReport[], ledger: Ledger, now: Date): Comparison {
  const at = now.toISOString();
  const findings: Finding[] = [];
  const acceptance: LedgerEntry[] = [];
  const seen: LedgerEntry[] = [];
  let complete = 0;
  for (const report of reports) {
    const { name: segment, head, ended } = report;
    const known = ledger.segments.get(segment);
    const difference = differenceOf(report, known);
    const accepted = { type: 'accepted', at, segment, head: head ?? null, ended: ended !== 'open' } as const;
    if (difference !== undefined) {
      findings.push({ kind: 'damage', segment, text: difference });
      acceptance.push(accepted);
    } else if (known?.ended === true) complete += 1;
    else if (head !== undefined && head.seq !== known?.head?.seq && !isDamaged(report)) {
      seen.push({ type: 'seen', at, segment, head });
    }
  }
  const present = new Set(reports.map(({ name }) => name));
  for (const [segment, known] of ledger.segments) {
    if (present.has(segment) || known.absent) continue;
    findings.push({ kind: 'damage', segment, text: `is missing; it was created at ${known.createdAt}` });
    acceptance.push({ type: 'accepted', at, segment, head: null, ended: true });
  }
  return { findings, complete, acceptance, seen };
}

/** How a segment differs from the ledger; undefined if it does not. */
function differenceOf(report: SegmentReport, known: LedgerSegment | undefined): string | undefined {
  const { head, wantedMac } = report;
  if (known === undefined || known.absent) {
    // A process may be killed between the creation of the file and the ledger entry.
    return head === undefined
      ? undefined
      : 'is not in the ledger: it was added, or it was written with another STATE_DIR';
  }
  if (known.head === undefined || isDamaged(report)) return undefined;
  const { seq, mac } = known.head;
  if (wantedMac === undefined) {
    const end = head === undefined ? 'has no entry' : `ends with entry ${head.seq}`;
    return `was truncated: it ${end}, but the ledger has entry ${seq} (${known.at})`;
  }
  if (wantedMac !== mac) return `was replaced: entry ${seq} is not the one in the ledger`;
  if (known.ended && head?.seq !== seq) return `continues after entry ${seq}, which is its end in the ledger`;
  return undefined;
}

/** Segments whose damage is reported already. */
function isDamaged(report: SegmentReport): boolean {
  return report.findings.some(({ kind }) => kind === 'damage');
}

/** Notes on processes that did not end normally, and on calls without an end. */
export function unfinishedIn(reports: readonly SegmentReport[], ledger: Ledger): Finding[] {
  const ended = new Set(reports.flatMap((report) => [...report.endedOnly]));
  const lastOf = new Map<string, SegmentReport>();
  for (const report of reports) if (report.open !== undefined) lastOf.set(report.open.session, report);
  return reports.flatMap((report) => {
    const { open, name: segment, unended } = report;
    const last = open === undefined ? undefined : lastOf.get(open.session);
    if (open === undefined || last === undefined) return [];
    const running = last.ended === 'open' && mayRun(open);
    const findings: Finding[] = [];
    if (report === last && report.ended === 'open' && ledger.segments.get(segment)?.ended !== true) {
      const { head } = report;
      const text = running
        ? `is still open: process ${open.pid} is running`
        : `has no end: process ${open.pid}${open.host === hostname() ? '' : ` on ${open.host}`} was killed, its machine went down, or it runs elsewhere. Entries after ${head?.seq ?? 0} may be missing`;
      findings.push({ kind: 'note', segment, text });
    }
    const why = running ? 'it may still be running' : 'the process was killed';
    for (const { call, tool, vmid, at } of unended.values()) {
      if (ended.has(call)) continue;
      const target = vmid === null ? '' : ` on ${vmid}`;
      findings.push({
        kind: 'note',
        segment,
        text: `call ${call} (${tool}${target}, started ${at}) has no end: ${why}`,
      });
    }
    return findings;
  });
}

/** Whether a process with this id is running on this machine. It is the same process unless the id was reused. */
function mayRun({ host, pid }: EntryOf<'open'>): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrno(error, 'EPERM');
  }
}
