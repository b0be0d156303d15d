import { type AuditRecord, parseRecord, type RecordOf } from './audit-entry.ts';
import { GENESIS, keyId, macOf, splitLines, unseal } from './chain.ts';

/** Something that verification has to say. `damage`: the record is not what was written. `note`: it is, but know this. */
export interface Finding {
  readonly kind: 'damage' | 'note';
  readonly segment: string;
  /** A sentence without its full stop. */
  readonly text: string;
}

/** Up to where a segment is known. */
export interface Head {
  readonly seq: number;
  readonly mac: string;
}

/** What one file says, and whether it says what was written. */
export interface SegmentReport {
  readonly name: string;
  readonly records: number;
  /** The first record, unless it was removed. */
  readonly open: RecordOf<'open'> | undefined;
  /** The last record that is whole. */
  readonly head: Head | undefined;
  /** How it ends: in order, with a successor, or just so. */
  readonly ended: 'closed' | 'rotated' | 'open';
  readonly next: string | undefined;
  /** The MAC of the record that was asked for. */
  readonly remembered: string | undefined;
  /** Calls that began here, and those that ended here, by their id. */
  readonly begun: ReadonlyMap<string, RecordOf<'begin'>>;
  readonly finished: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** More of one segment says no more to anybody. */
const MAX_FINDINGS = 20;
/** Ms by which the two clocks of a record may drift apart between two records. */
const CLOCK_TOLERANCE_MS = 2000;

/** @param rememberedSeq the record whose MAC is asked for */
export function verifySegment(
  name: string,
  bytes: Buffer,
  key: Uint8Array,
  rememberedSeq?: number,
): SegmentReport {
  const walk = new Walk(name, key, rememberedSeq);
  const { lines, rest } = splitLines(bytes);
  for (const [index, line] of lines.entries()) walk.line(line, index + 1);
  walk.rest(rest);
  return walk.report();
}

class Walk {
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #rememberedSeq: number | undefined;
  readonly #findings: Finding[] = [];
  readonly #begun = new Map<string, RecordOf<'begin'>>();
  readonly #finished = new Set<string>();
  #records = 0;
  #damages = 0;
  #open: RecordOf<'open'> | undefined;
  #last: AuditRecord | undefined;
  #mac: string | undefined;
  #remembered: string | undefined;

  constructor(name: string, key: Uint8Array, rememberedSeq: number | undefined) {
    this.#name = name;
    this.#key = key;
    this.#rememberedSeq = rememberedSeq;
  }

  line(line: Buffer, number: number): void {
    const sealed = unseal(line);
    const record = sealed === undefined ? undefined : parseRecord(line.toString('utf8'));
    if (sealed === undefined || record === undefined) {
      this.#damage(`line ${number} is no record: it was edited or put in`);
      return;
    }
    if (this.#records === 0) this.#begin(record);
    else if (this.#last?.type === 'closed' || this.#last?.type === 'rotate') {
      this.#damage(`line ${number} stands behind the end of the segment: it was put in`);
    }
    const previous = this.#mac ?? this.#open?.continues?.mac ?? GENESIS;
    if (macOf(sealed.body, previous, this.#key) !== sealed.mac) this.#mismatch(record, number);
    else this.#clock(record);
    this.#take(record, sealed.mac);
  }

  rest(rest: Buffer): void {
    if (rest.length === 0) {
      if (this.#records === 0 && this.#damages === 0)
        this.#note('is empty: the process died before it wrote anything');
      return;
    }
    if (this.#last?.type === 'closed' || this.#last?.type === 'rotate') {
      this.#damage(`${rest.length} bytes stand behind the end of the segment: they were put in`);
    } else {
      this.#note(
        `the last line is torn after ${rest.length} bytes: the process or the machine died while it was written`,
      );
    }
  }

  report(): SegmentReport {
    const last = this.#last;
    if (this.#damages > MAX_FINDINGS) {
      this.#findings.push(
        this.#finding('damage', `${this.#damages - MAX_FINDINGS} more faults of this kind`),
      );
    }
    return {
      name: this.#name,
      records: this.#records,
      open: this.#open,
      head: last === undefined || this.#mac === undefined ? undefined : { seq: last.seq, mac: this.#mac },
      ended: last?.type === 'closed' ? 'closed' : last?.type === 'rotate' ? 'rotated' : 'open',
      next: last?.type === 'rotate' ? last.next : undefined,
      remembered: this.#remembered,
      begun: this.#begun,
      finished: this.#finished,
      findings: this.#findings,
    };
  }

  #begin(record: AuditRecord): void {
    if (record.type !== 'open') {
      this.#damage(`begins with record ${record.seq}: what stood before was removed`);
      return;
    }
    this.#open = record;
    const own = keyId(this.#key);
    if (record.key !== own) {
      this.#damage(`was written with another key (${record.key}) than the one it is checked with (${own})`);
    }
    if (record.segment !== this.#name)
      this.#damage(`was renamed or copied: it was written as ${record.segment}`);
  }

  #mismatch(record: AuditRecord, number: number): void {
    const expected = this.#last === undefined ? record.seq : this.#last.seq + 1;
    const missing = record.seq - expected;
    if (missing > 0) {
      const which = missing === 1 ? `record ${expected} is` : `records ${expected} to ${record.seq - 1} are`;
      this.#damage(`${which} missing before line ${number}`);
    } else if (missing < 0) this.#damage(`line ${number} (record ${record.seq}) was put in or moved`);
    else this.#damage(`line ${number} (record ${record.seq}) or what stood before it was edited`);
  }

  /** The two clocks of a process part when the machine sleeps or somebody sets one of them. */
  #clock(record: AuditRecord): void {
    const last = this.#last;
    if (last === undefined) return;
    const moved = Date.parse(record.at) - Date.parse(last.at) - (record.up - last.up);
    if (Math.abs(moved) <= CLOCK_TOLERANCE_MS) return;
    const how = moved > 0 ? 'was put forward, or the machine slept,' : 'was put back';
    this.#note(
      `the clock ${how} by ${Math.round(Math.abs(moved) / 1000)} s before record ${record.seq} (${record.at})`,
    );
  }

  /** The stated MAC is what the next record is held against: one fault is then told once. */
  #take(record: AuditRecord, mac: string): void {
    this.#records += 1;
    this.#last = record;
    this.#mac = mac;
    if (record.seq === this.#rememberedSeq) this.#remembered = mac;
    if (record.type === 'begin') this.#begun.set(record.call, record);
    if (record.type === 'end') this.#finished.add(record.call);
    if (record.type === 'gap') {
      const calls = record.refused === 1 ? 'one call or record' : `${record.refused} calls or records`;
      this.#note(`${calls} could not be recorded and were refused since ${record.since}: ${record.reason}`);
    }
  }

  #damage(text: string): void {
    this.#damages += 1;
    if (this.#damages <= MAX_FINDINGS) this.#findings.push(this.#finding('damage', text));
  }

  #note(text: string): void {
    this.#findings.push(this.#finding('note', text));
  }

  #finding(kind: Finding['kind'], text: string): Finding {
    return { kind, segment: this.#name, text };
  }
}
