import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/v4';
import { hasErrno } from '../../lib/errno.ts';
import { ensurePrivateDir } from '../../lib/private-files.ts';
import { macOf, seal, splitLines, unseal } from './chain.ts';
import { reasonOf } from './failures.ts';

const LEDGER_GENESIS = 'proxmox-mcp audit ledger 1';

/** The last entry of a segment. */
const headSchema = z.object({ seq: z.int().nonnegative(), mac: z.string() });
export type Head = z.output<typeof headSchema>;

const entrySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('created'), at: z.iso.datetime(), segment: z.string() }),
  /** The segment is complete: it was rotated or closed, or it was removed while in use. */
  z.object({ type: z.literal('ended'), at: z.iso.datetime(), segment: z.string(), head: headSchema }),
  /** The last entry of a segment without an end when it was verified. */
  z.object({ type: z.literal('seen'), at: z.iso.datetime(), segment: z.string(), head: headSchema }),
  /** The operator accepts the segment as it is; `head` is null if it is absent. */
  z.object({
    type: z.literal('accepted'),
    at: z.iso.datetime(),
    segment: z.string(),
    head: headSchema.nullable(),
    ended: z.boolean(),
  }),
]);
export type LedgerEntry = z.output<typeof entrySchema>;

/** The audit directory of a ledger, and the state directory that contains the ledger. */
export interface LedgerLocation {
  readonly dir: string;
  readonly stateDir: string;
}

/** What the ledger proves about one segment. */
export interface LedgerSegment {
  readonly createdAt: string;
  /** The segment contains this entry; undefined if its end is unknown and it was never verified. */
  readonly head: Head | undefined;
  /** `head` is the last entry. */
  readonly ended: boolean;
  /** The operator has accepted that the segment is gone. */
  readonly absent: boolean;
  /** Time of the last ledger entry about the segment. */
  readonly at: string;
}

export interface Ledger {
  readonly segments: ReadonlyMap<string, LedgerSegment>;
  /** Numbers of the lines that this program did not write with this key. */
  readonly damagedLines: readonly number[];
}

/**
 * The ledger's path. One state directory may serve several audit directories, so the name contains a hash of the audit
 * directory: relative to the state directory if it is inside, so that both can be moved together.
 */
export function ledgerFile({ dir, stateDir }: LedgerLocation): string {
  const inside = path.relative(stateDir, dir);
  const isInside = !inside.startsWith('..') && !path.isAbsolute(inside);
  const hash = createHash('sha256').update(isInside ? inside : path.resolve(dir));
  return path.join(stateDir, `audit-ledger-${hash.digest('hex').slice(0, 16)}.jsonl`);
}

/**
 * Appends entries to the ledger and syncs it. Several processes share one ledger: each appends whole lines in one write.
 * @throws Error that names the ledger
 */
export async function appendToLedger(
  location: LedgerLocation,
  entries: readonly LedgerEntry[],
  key: Uint8Array,
): Promise<void> {
  const file = ledgerFile(location);
  const text = entries.map((entry) => seal(JSON.stringify(entry), LEDGER_GENESIS, key).line).join('');
  try {
    await ensurePrivateDir(location.stateDir);
    const handle = await open(file, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      // A crash may have cut off the last line. The next line must not be appended to it.
      const last = size === 0 ? undefined : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
      await handle.appendFile(last === undefined || last === 0x0a ? text : `\n${text}`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new Error(`the audit ledger ${file} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

/** @returns undefined if there is no ledger. @throws errors of the file system */
export async function readLedger(location: LedgerLocation, key: Uint8Array): Promise<Ledger | undefined> {
  const bytes = await readFile(ledgerFile(location)).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const segments = new Map<string, LedgerSegment>();
  const damagedLines: number[] = [];
  for (const [index, line] of splitLines(bytes).lines.entries()) {
    const sealed = unseal(line);
    // A line without a MAC was cut off by a crash, so the action that it announces did not happen either.
    if (sealed === undefined && !line.includes('"mac"')) continue;
    const entry = sealed !== undefined && macOf(sealed.body, LEDGER_GENESIS, key) === sealed.mac;
    const parsed = entry ? entrySchema.safeParse(JSON.parse(sealed.body.toString('utf8'))) : undefined;
    if (parsed?.success !== true) damagedLines.push(index + 1);
    else segments.set(parsed.data.segment, applied(segments.get(parsed.data.segment), parsed.data));
  }
  return { segments, damagedLines };
}

function applied(before: LedgerSegment | undefined, entry: LedgerEntry): LedgerSegment {
  const { at, type } = entry;
  const known = before ?? { createdAt: at, head: undefined, ended: false, absent: false };
  switch (type) {
    case 'created':
      return { ...known, at };
    case 'ended':
      return { ...known, at, head: entry.head, ended: true };
    case 'seen':
      return { ...known, at, head: entry.head };
    case 'accepted':
      return { ...known, at, head: entry.head ?? undefined, ended: entry.ended, absent: entry.head === null };
  }
}
