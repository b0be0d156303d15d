import * as z from 'zod/v4';
import { hasUnsafe, UNSAFE_CHARACTER } from '../../lib/visible.ts';

/*
 * The entries of a segment, one JSON object per line. `seq` counts the entries of a process without gaps, across all of its
 * segments. `at` is the wall clock, `up` the milliseconds since the process started, which clock changes do not affect.
 */
const stamp = {
  seq: z.int().nonnegative(),
  at: z.iso.datetime(),
  up: z.number(),
  /** Identifies the process and its chain. */
  session: z.string(),
};

const called = {
  /** Identifies the call. */
  call: z.string(),
  caller: z.string(),
  tool: z.string(),
  effect: z.enum(['read', 'write', 'destroy', 'exec']),
  vmid: z.number().nullable(),
  name: z.string().nullable(),
  node: z.string().nullable(),
  /** Redacted. */
  args: z.record(z.string(), z.unknown()),
  /** Proves the original arguments, see argumentsMac. Absent in entries of early versions. */
  argsMac: z.string().optional(),
  outcome: z.enum(['allow', 'confirm', 'deny']),
  rule: z.string(),
  approval: z.string().nullable(),
};

export const entrySchema = z.discriminatedUnion('type', [
  /** The first of each segment. */
  z.object({
    ...stamp,
    type: z.literal('open'),
    version: z.string(),
    host: z.string(),
    pid: z.int(),
    /** Identifies the key, see keyId. */
    key: z.string(),
    segment: z.string(),
    /** The previous segment of the same process and its last MAC; null for the first. */
    continues: z.object({ segment: z.string(), mac: z.string() }).nullable(),
  }),
  z.object({ ...stamp, type: z.literal('begin'), ...called }),
  z.object({ ...stamp, type: z.literal('refused'), ...called, code: z.string() }),
  z.object({
    ...stamp,
    type: z.literal('end'),
    call: z.string(),
    tool: z.string(),
    /** `ok`, or the error code. */
    code: z.string(),
    exitCode: z.number().nullable(),
    bytes: z.number().nullable(),
    /** SHA-256 of the text of the result that the client got. */
    result: z.string(),
    durationMs: z.number(),
    survivors: z.number().nullable(),
  }),
  /** The number of entries that could not be written; their calls were refused. */
  z.object({ ...stamp, type: z.literal('gap'), refused: z.int(), since: z.string(), reason: z.string() }),
  /** The last of a segment that is full. */
  z.object({ ...stamp, type: z.literal('rotate'), next: z.string() }),
  /** The last of a process that ended normally, with the calls that have no end. */
  z.object({ ...stamp, type: z.literal('closed'), unended: z.array(z.string()) }),
]);

export type AuditEntry = z.output<typeof entrySchema>;
export type EntryOf<T extends AuditEntry['type']> = Extract<AuditEntry, { type: T }>;

type Stamp = 'seq' | 'at' | 'up' | 'session';
type WithoutStamp<R> = R extends AuditEntry ? Omit<R, Stamp> : never;
/** An entry without its number and time. */
export type UnstampedEntry = WithoutStamp<AuditEntry>;

/** Reads a line; undefined when it is not an entry. */
export function parseEntry(line: string): AuditEntry | undefined {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const UNSAFE = new RegExp(UNSAFE_CHARACTER, 'gu');

/** The JSON of an entry. Invisible characters and terminal controls are escaped, so that a segment can be printed safely. */
export function jsonOf(record: AuditEntry): string {
  const json = JSON.stringify(record);
  if (!hasUnsafe(json)) return json;
  return json.replace(UNSAFE, (found) =>
    [...Array(found.length).keys()]
      .map((index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
