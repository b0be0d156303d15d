import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { reasonOf } from './failures.ts';
import { HEADS_FILE, type Heads, readHeads, writeHeads } from './heads.ts';
import { findKey, type KeySource } from './key.ts';
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
  const stored = await readHeads(dir, key);
  const known = stored === 'damaged' || stored === undefined ? NO_HEADS : stored;
  const reports = await verifySegments(dir, key, known);
  // Not even "as it was written": whether there was anything, nobody can tell.
  if (reports.length === 0 && stored === undefined) return NOTHING;
  const absences = [...(stored === 'damaged' ? [HEADS_DAMAGED] : []), ...absencesOf(reports, known)];
  const findings = [
    ...(accept ? absences.map(accepted) : absences),
    ...reports.flatMap((report) => report.findings),
    ...unendedOf(reports),
  ];
  const before = accept ? { ...NO_HEADS, removed: missingOf(reports, known) } : known;
  if (stored !== 'damaged' || accept) {
    const damaged = new Set(findings.flatMap(({ kind, segment }) => (kind === 'damage' ? [segment] : [])));
    const heads = headsOf(reports, before, damaged, new Date());
    await writeHeads(dir, heads, key).catch((error) => findings.push(notRemembered(error)));
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

const HEADS_DAMAGED: Finding = {
  kind: 'damage',
  segment: HEADS_FILE,
  text: 'was edited or damaged: whether anything was removed or cut off can not be told',
};

function accepted({ segment, text }: Finding): Finding {
  return { kind: 'note', segment, text: `accepted: ${text}` };
}

function notRemembered(error: unknown): Finding {
  return {
    kind: 'note',
    segment: HEADS_FILE,
    text: `could not be written, so this verification is not remembered: ${reasonOf(error)}`,
  };
}
