import * as z from 'zod/v4';
import { hasUnsafe, UNSAFE_CHARACTER } from '../../lib/visible.ts';

/*
 * What stands in a segment, one JSON object a line. `seq` counts the records of a process without gaps, over all of its
 * segments; `at` is the wall clock, `up` the ms since the process began, which no clock change moves.
 */
const stamp = {
  seq: z.int().nonnegative(),
  at: z.iso.datetime(),
  up: z.number(),
  /** Names the process, and so the chain. */
  session: z.string(),
};

const called = {
  /** Names the call. */
  call: z.string(),
  caller: z.string(),
  tool: z.string(),
  effect: z.enum(['read', 'write', 'destroy', 'exec']),
  vmid: z.number().nullable(),
  name: z.string().nullable(),
  node: z.string().nullable(),
  args: z.record(z.string(), z.unknown()),
  outcome: z.enum(['allow', 'confirm', 'deny']),
  rule: z.string(),
  approval: z.string().nullable(),
};

export const recordSchema = z.discriminatedUnion('type', [
  /** The first of each segment. */
  z.object({
    ...stamp,
    type: z.literal('open'),
    version: z.string(),
    host: z.string(),
    pid: z.int(),
    /** Names the key, see keyId. */
    key: z.string(),
    segment: z.string(),
    /** The segment before, of the same process, and its last MAC; null for the first. */
    continues: z.object({ segment: z.string(), mac: z.string() }).nullable(),
  }),
  z.object({ ...stamp, type: z.literal('begin'), ...called }),
  z.object({ ...stamp, type: z.literal('refused'), ...called, code: z.string() }),
  z.object({
    ...stamp,
    type: z.literal('end'),
    call: z.string(),
    tool: z.string(),
    /** `ok`, or the code of the failure. */
    code: z.string(),
    exitCode: z.number().nullable(),
    bytes: z.number().nullable(),
    /** SHA-256 of the text of the result, as the client got it. */
    result: z.string(),
    durationMs: z.number(),
    survivors: z.number().nullable(),
  }),
  /** Records that could not be written are missing here: that many calls were refused since. */
  z.object({ ...stamp, type: z.literal('gap'), refused: z.int(), since: z.string(), reason: z.string() }),
  /** The last of a segment that is full. */
  z.object({ ...stamp, type: z.literal('rotate'), next: z.string() }),
  /** The last of a process that came to an orderly end, with the calls that had none. */
  z.object({ ...stamp, type: z.literal('closed'), unended: z.array(z.string()) }),
]);

export type AuditRecord = z.output<typeof recordSchema>;
export type RecordOf<T extends AuditRecord['type']> = Extract<AuditRecord, { type: T }>;

type Stamp = 'seq' | 'at' | 'up' | 'session';
type WithoutStamp<R> = R extends AuditRecord ? Omit<R, Stamp> : never;
/** A record before it is known when and as which one it will be written. */
export type Entry = WithoutStamp<AuditRecord>;

/** Reads a line; undefined when it is no record. */
export function parseRecord(line: string): AuditRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const UNSAFE = new RegExp(UNSAFE_CHARACTER, 'gu');

/** The JSON of an entry, in which invisible characters and terminal controls are escaped: a segment can be read with cat. */
export function jsonOf(record: AuditRecord): string {
  const json = JSON.stringify(record);
  if (!hasUnsafe(json)) return json;
  return json.replace(UNSAFE, (found) =>
    [...Array(found.length).keys()]
      .map((index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
