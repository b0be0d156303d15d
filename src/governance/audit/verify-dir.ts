import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findKey, KEY_FILE, type KeySource, keyMadeAt } from './audit-key.ts';
import { reasonOf } from './failures.ts';
import { type Heads, headsFile, readHeads, writeHeads } from './heads.ts';
import { listSegments } from './segments.ts';
import { absencesOf, headsOf, missingOf, unendedOf } from './verify.ts';
import { type Finding, type SegmentReport, verifySegment } from './verify-segment.ts';

export interface Verification {
  readonly segments: number;
  readonly records: number;
  readonly calls: number;
  readonly findings: readonly Finding[];
  /** When the last verification remembered what it saw; undefined: this was the first. */
  readonly since: string | undefined;
}

export interface VerifyOptions extends KeySource {
  readonly dir: string;
  /** What differs from what was remembered is told as a note, and from now on taken for right. */
  readonly accept: boolean;
}

const NOTHING: Verification = { segments: 0, records: 0, calls: 0, findings: [], since: undefined };
/** A first segment begins within this of its key. */
const FIRST_CALL_MS = 60_000;
const NO_HEADS: Heads = { at: '', segments: {}, removed: [] };

/**
 * Reads every segment of a directory, and remembers how far each one goes.
 * @throws Error when the key or the directory cannot be read
 */
export async function verifyDirectory(options: VerifyOptions): Promise<Verification> {
  const { dir, accept } = options;
  const key = await findKey(options);
  if (key === undefined) {
    if ((await listSegments(dir)).length === 0) return NOTHING;
    throw new Error(`there is no key to check the record with: audit.key in ${options.stateDir} is missing`);
  }
  const stored = await readHeads(options, key);
  const known = stored === 'damaged' || stored === undefined ? NO_HEADS : stored;
  const reports = await verifySegments(dir, key, known);
  const unseen = stored === undefined ? unseenOf(reports, await keyMadeAt(options)) : [];
  // Not even "as it was written": whether there was anything, nobody can tell.
  if (reports.length === 0 && stored === undefined) return { ...NOTHING, findings: unseen };
  const remembered = path.basename(headsFile(options));
  const absences = [
    ...(stored === 'damaged' ? [headsDamaged(remembered)] : []),
    ...absencesOf(reports, known),
  ];
  const findings = [
    ...unseen,
    ...(accept ? absences.map(accepted) : absences),
    ...reports.flatMap((report) => report.findings),
    ...unendedOf(reports),
  ];
  const before = accept ? { ...NO_HEADS, removed: missingOf(reports, known) } : known;
  if (stored !== 'damaged' || accept) {
    const damaged = new Set(findings.flatMap(({ kind, segment }) => (kind === 'damage' ? [segment] : [])));
    const heads = headsOf(reports, before, damaged, new Date());
    await writeHeads(options, heads, key).catch((error) => findings.push(notRemembered(remembered, error)));
  }
  return {
    segments: reports.length,
    records: reports.reduce((sum, { records }) => sum + records, 0),
    calls: reports.reduce((sum, { begun }) => sum + begun.size, 0),
    findings,
    since: known === NO_HEADS ? undefined : known.at,
  };
}

/** Until a look at the directory shows no further one: a segment that is full is left while we read. */
async function verifySegments(dir: string, key: Uint8Array, known: Heads): Promise<SegmentReport[]> {
  const reports = new Map<string, SegmentReport>();
  for (;;) {
    const unread = (await listSegments(dir)).filter((name) => !reports.has(name));
    if (unread.length === 0) return [...reports.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const name of unread) {
      const bytes = await readFile(path.join(dir, name));
      reports.set(name, verifySegment(name, bytes, key, known.segments[name]?.seq));
    }
  }
}

/**
 * When nothing was remembered: whether the key, which is made with the first call, is older than all that is there. Not
 * more than a note, as records of several directories may share a key.
 */
function unseenOf(reports: readonly SegmentReport[], keyMade: Date | undefined): Finding[] {
  if (keyMade === undefined) return [];
  const began = reports.flatMap(({ open }) => (open === undefined ? [] : [Date.parse(open.at)]));
  // A crash may have left segments without a beginning.
  if (reports.length > 0 && began.length === 0) return [];
  if (Math.min(...began) - keyMade.getTime() <= FIRST_CALL_MS) return [];
  const there = reports.length === 0 ? 'but no record is there' : 'but what is there begins later';
  return [
    {
      kind: 'note',
      segment: KEY_FILE,
      text: `was made at ${keyMade.toISOString()}, as with a first call, ${there}, and this machine has never verified it: what was removed before now can't be seen`,
    },
  ];
}

function headsDamaged(segment: string): Finding {
  const text = 'was edited or damaged: whether anything was removed or cut off can not be told';
  return { kind: 'damage', segment, text };
}

function accepted({ segment, text }: Finding): Finding {
  return { kind: 'note', segment, text: `accepted: ${text}` };
}

function notRemembered(segment: string, error: unknown): Finding {
  const text = `could not be written, so this verification is not remembered: ${reasonOf(error)}`;
  return { kind: 'note', segment, text };
}
