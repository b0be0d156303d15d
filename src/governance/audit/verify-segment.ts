import { type AuditEntry, type EntryOf, parseEntry } from './audit-entry.ts';
import { GENESIS, keyId, macOf, splitLines, unseal } from './chain.ts';
import type { Head } from './ledger.ts';

/** A result of verification. `damage`: the log was changed after it was written. `note`: other useful information. */
export interface Finding {
  readonly kind: 'damage' | 'note';
  readonly segment: string;
  /** A sentence without the final period. */
  readonly text: string;
}

/** What to note about the entries of a segment. */
export interface Wanted {
  /** The number of an entry whose MAC is needed. */
  readonly seq?: number | undefined;
  /** The ID of a call whose entry is needed. */
  readonly call?: string | undefined;
}

/**
 * The content of one segment, up to the first entry that was changed. Without the calls that begin and end in it, because a log of
 * a year does not fit into the memory of a small machine.
 */
export interface SegmentReport {
  readonly name: string;
  readonly entries: number;
  /** The first entry; undefined if it is missing. */
  readonly open: EntryOf<'open'> | undefined;
  /** The last entry. */
  readonly head: Head | undefined;
  readonly ended: 'closed' | 'rotated' | 'open';
  /** The MAC of the wanted entry; undefined if there is no such entry. */
  readonly wantedMac: string | undefined;
  /** The entry of the wanted call, if it begins here or was refused. */
  readonly wantedCall: EntryOf<'begin' | 'refused'> | undefined;
  /** Number of calls that begin in this segment. */
  readonly begun: number;
  /** Calls that begin in this segment and do not end in it, by their id; then those that only end in it. */
  readonly unended: ReadonlyMap<string, EntryOf<'begin'>>;
  readonly endedOnly: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** Maximum drift in ms between wall clock and monotonic clock between two entries. */
const CLOCK_TOLERANCE_MS = 2000;

/** Verifies the chain of a segment until the first broken link. */
export function verifySegment(
  name: string,
  bytes: Buffer,
  key: Uint8Array,
  wanted: Wanted = {},
): SegmentReport {
  const reader = new ChainReader(name, key, wanted);
  const { lines, rest } = splitLines(bytes);
  for (const [index, line] of lines.entries()) {
    const damage = reader.read(line, index + 1);
    if (damage !== undefined) return reader.report(damage);
  }
  return reader.report(reader.readRest(rest));
}

class ChainReader {
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #findings: Finding[] = [];
  readonly #wanted: Wanted;
  #entries = 0;
  #wantedMac: string | undefined;
  #wantedCall: EntryOf<'begin' | 'refused'> | undefined;
  #begun = 0;
  readonly #unended = new Map<string, EntryOf<'begin'>>();
  readonly #endedOnly = new Set<string>();
  #open: EntryOf<'open'> | undefined;
  #last: AuditEntry | undefined;
  #mac = GENESIS;

  constructor(name: string, key: Uint8Array, wanted: Wanted) {
    this.#name = name;
    this.#key = key;
    this.#wanted = wanted;
  }

  /** @returns the damage, if any; nothing after this line can be proved then */
  read(line: Buffer, number: number): string | undefined {
    if (this.#hasEnded) return `line ${number} was added after the end of the segment`;
    const sealed = unseal(line);
    const entry = sealed === undefined ? undefined : parseEntry(line.toString('utf8'));
    if (sealed === undefined || entry === undefined)
      return `line ${number} is not a valid audit entry: it was edited or added`;
    if (this.#last === undefined) {
      const wrong = this.#begin(entry);
      if (wrong !== undefined) return wrong;
    }
    if (macOf(sealed.body, this.#mac, this.#key) !== sealed.mac) {
      return `line ${number} (entry ${entry.seq}) does not continue the chain: it was edited, added or moved, or entries before it were removed`;
    }
    this.#noteClock(entry);
    this.#take(entry, sealed.mac);
    return undefined;
  }

  /** Checks the bytes after the last newline. @returns the damage, if any */
  readRest(rest: Buffer): string | undefined {
    if (rest.length > 0 && this.#hasEnded)
      return `${rest.length} bytes were added after the end of the segment`;
    if (rest.length > 0) {
      this.#note(
        `the last line is incomplete (${rest.length} bytes): the process or the machine stopped while it was written`,
      );
    } else if (this.#last === undefined)
      this.#note('is empty: the process was killed before its first entry');
    return undefined;
  }

  report(damage: string | undefined): SegmentReport {
    const last = this.#last;
    return {
      name: this.#name,
      entries: this.#entries,
      open: this.#open,
      head: last === undefined ? undefined : { seq: last.seq, mac: this.#mac },
      ended: last?.type === 'closed' ? 'closed' : last?.type === 'rotate' ? 'rotated' : 'open',
      wantedMac: this.#wantedMac,
      wantedCall: this.#wantedCall,
      begun: this.#begun,
      unended: this.#unended,
      endedOnly: this.#endedOnly,
      findings:
        damage === undefined
          ? this.#findings
          : [...this.#findings, { kind: 'damage', segment: this.#name, text: damage }],
    };
  }

  get #hasEnded(): boolean {
    return this.#last?.type === 'closed' || this.#last?.type === 'rotate';
  }

  #begin(entry: AuditEntry): string | undefined {
    if (entry.type !== 'open') return `begins with entry ${entry.seq}: the entries before it were removed`;
    const own = keyId(this.#key);
    if (entry.key !== own) return `was written with another key (${entry.key}) than the current one (${own})`;
    if (entry.segment !== this.#name) return `was renamed or copied: it was written as ${entry.segment}`;
    this.#open = entry;
    this.#mac = entry.continues?.mac ?? GENESIS;
    return undefined;
  }

  /** The two clocks of a process differ if the machine sleeps or the wall clock is set. */
  #noteClock(entry: AuditEntry): void {
    const last = this.#last;
    if (last === undefined) return;
    const moved = Date.parse(entry.at) - Date.parse(last.at) - (entry.up - last.up);
    if (Math.abs(moved) <= CLOCK_TOLERANCE_MS) return;
    const how = moved > 0 ? 'was set forward, or the machine slept,' : 'was set back';
    this.#note(
      `the clock ${how} by ${Math.round(Math.abs(moved) / 1000)} s before entry ${entry.seq} (${entry.at})`,
    );
  }

  #take(entry: AuditEntry, mac: string): void {
    this.#last = entry;
    this.#mac = mac;
    this.#entries += 1;
    if (entry.seq === this.#wanted.seq) this.#wantedMac = mac;
    if (entry.type === 'begin') {
      this.#begun += 1;
      this.#unended.set(entry.call, entry);
    }
    const isCall = entry.type === 'begin' || entry.type === 'refused';
    if (isCall && entry.call === this.#wanted.call) this.#wantedCall = entry;
    if (entry.type === 'end' && !this.#unended.delete(entry.call)) this.#endedOnly.add(entry.call);
    if (entry.type === 'gap') {
      const calls = entry.refused === 1 ? 'one entry' : `${entry.refused} entries`;
      this.#note(
        `${calls} could not be written and their calls were refused since ${entry.since}: ${entry.reason}`,
      );
    }
  }

  #note(text: string): void {
    this.#findings.push({ kind: 'note', segment: this.#name, text });
  }
}
