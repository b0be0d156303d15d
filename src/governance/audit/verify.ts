import { hostname } from 'node:os';
import { hasErrno } from '../../lib/errno.ts';
import type { RecordOf } from './audit-entry.ts';
import type { Heads } from './heads.ts';
import type { Finding, SegmentReport } from './verify-segment.ts';

/**
 * Whether each segment's predecessor and successor are there, and whether those that were seen by the last verification
 * still are and go as far.
 */
export function absencesOf(reports: readonly SegmentReport[], heads: Heads): Finding[] {
  const byName = new Map(reports.map((report) => [report.name, report]));
  const removed = new Set(heads.removed);
  return [
    ...reports.flatMap((report) => linkFindings(report, byName, removed)),
    ...headFindings(byName, heads),
  ];
}

/** Segments of which others tell, and that are not there. */
export function missingOf(reports: readonly SegmentReport[], heads: Heads): string[] {
  const there = new Set(reports.map(({ name }) => name));
  const told = reports.flatMap(({ open, next }) => [open?.continues?.segment, next]);
  const all = [...told, ...Object.keys(heads.segments), ...heads.removed];
  return [...new Set(all.flatMap((name) => (name === undefined || there.has(name) ? [] : [name])))].sort();
}

/** Processes that left no end, and calls that have none. */
export function unendedOf(reports: readonly SegmentReport[]): Finding[] {
  return [...sessionsOf(reports).values()].flatMap(endFindings);
}

/** What to remember: how far those go that are in order, and of the rest what was known before. */
export function headsOf(
  reports: readonly SegmentReport[],
  before: Heads,
  damaged: ReadonlySet<string>,
  at: Date,
): Heads {
  const kept = Object.entries(before.segments).filter(([name]) => damaged.has(name));
  const seen = reports.flatMap(({ name, head }) =>
    head === undefined || damaged.has(name) ? [] : [[name, head] as const],
  );
  return {
    at: at.toISOString(),
    segments: Object.fromEntries([...kept, ...seen]),
    removed: before.removed,
  };
}

function linkFindings(
  { name, open, next }: SegmentReport,
  all: ReadonlyMap<string, SegmentReport>,
  removed: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  const damage = (text: string) => findings.push({ kind: 'damage', segment: name, text });
  const before = open?.continues ?? undefined;
  const previous = before === undefined ? undefined : all.get(before.segment);
  if (before !== undefined && previous === undefined && !removed.has(before.segment)) {
    damage(`${before.segment}, which it continues, is missing`);
  }
  if (before !== undefined && previous !== undefined && previous.head?.mac !== before.mac) {
    damage(`does not continue ${before.segment} where that ends`);
  }
  if (next !== undefined && !all.has(next) && !removed.has(next)) {
    damage(`${next}, which continues it, is missing`);
  }
  return findings;
}

function headFindings(all: ReadonlyMap<string, SegmentReport>, heads: Heads): Finding[] {
  return Object.entries(heads.segments).flatMap(([segment, head]): Finding[] => {
    const report = all.get(segment);
    const damage = (text: string): Finding[] => [{ kind: 'damage', segment, text }];
    if (report === undefined) return damage(`is missing; it was there at ${heads.at}`);
    if (report.remembered === head.mac) return [];
    const last = report.head?.seq;
    if (last !== undefined && last >= head.seq) {
      return damage(`was written anew since ${heads.at}: record ${head.seq} is not the one that was there`);
    }
    const end = last === undefined ? 'holds no record' : `ends with record ${last}`;
    return damage(`was cut off: it ${end}, and went to record ${head.seq} at ${heads.at}`);
  });
}

function sessionsOf(reports: readonly SegmentReport[]): Map<string, SegmentReport[]> {
  const sessions = new Map<string, SegmentReport[]>();
  for (const report of reports) {
    if (report.open === undefined) continue;
    const { session } = report.open;
    sessions.set(session, [...(sessions.get(session) ?? []), report]);
  }
  return sessions;
}

/** A process that left no end, and its calls that have none. */
function endFindings(segments: readonly SegmentReport[]): Finding[] {
  const last = segments.at(-1);
  if (last?.open === undefined) return [];
  const { open, name } = last;
  const note = (text: string): Finding => ({ kind: 'note', segment: name, text });
  const finished = new Set(segments.flatMap(({ finished }) => [...finished]));
  const unended = segments
    .flatMap(({ begun }) => [...begun.values()])
    .filter(({ call }) => !finished.has(call));
  const runs = last.ended === 'open' && mayRun(open);
  const why = runs ? 'it may still run' : 'the process died meanwhile';
  const calls = unended.map(({ call, tool, vmid, at }) =>
    note(
      `no end is recorded of call ${call} (${tool}${vmid === null ? '' : ` on ${vmid}`}, begun ${at}): ${why}`,
    ),
  );
  if (last.ended !== 'open') return calls;
  return [
    note(
      runs
        ? `is still open: process ${open.pid} runs`
        : `has no end: process ${open.pid}${open.host === hostname() ? '' : ` on ${open.host}`} was killed, its machine went down, or it runs elsewhere`,
    ),
    ...calls,
  ];
}

/** Whether a process of that number runs here: it, unless the number was used again. */
function mayRun({ host, pid }: RecordOf<'open'>): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrno(error, 'EPERM');
  }
}
