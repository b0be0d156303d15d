import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ensurePrivateDir } from '../../lib/private-files.ts';
import { type AuditEntry, jsonOf, type UnstampedEntry } from './audit-entry.ts';
import { ensureKey, type KeySource } from './audit-key.ts';
import { GENESIS, keyId, seal } from './chain.ts';
import { appendToLedger, type LedgerEntry } from './ledger.ts';
import { SegmentFile } from './segment-file.ts';

export interface WriterOptions extends KeySource {
  readonly dir: string;
  readonly version: string;
  /** A new segment begins after this many bytes. */
  readonly maxBytes: number;
  /** Replaced in tests of clock changes. */
  readonly clock?: Clock;
}

export interface Clock {
  now(): Date;
  /** Milliseconds since the process started; monotonic. */
  up(): number;
}

const SYSTEM_CLOCK: Clock = { now: () => new Date(), up: () => Math.round(performance.now()) };

/** An entry, or a function that creates it once the key is known. */
export type PendingEntry = UnstampedEntry | ((key: Uint8Array) => UnstampedEntry);

/**
 * The chain of this process: its segments in order, in files that no other process writes to. A segment is entered in the
 * ledger before its first entry is written, and again when it ends.
 */
export class SegmentWriter {
  readonly session = randomBytes(6).toString('hex');
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  readonly #prefix: string;
  #key: Buffer | undefined;
  #file: SegmentFile | undefined;
  #created = 0;
  #seq = 0;
  #mac = GENESIS;
  /** Ledger entries that must be written before any further audit entry. */
  #ledgerDue: readonly LedgerEntry[] = [];
  #previous: { readonly segment: string; readonly mac: string } | null = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    const time = this.#clock
      .now()
      .toISOString()
      .replace(/[-:]|\.\d+/g, '');
    this.#prefix = `${time}-${process.pid}-${this.session}`;
  }

  /**
   * Writes entries in this order, all or none. After an error the same entries can be written again.
   * @throws errors of the file system; Error if the ledger cannot be written
   */
  async write(entries: readonly PendingEntry[], sync: boolean): Promise<void> {
    const file = await this.#fileToWrite();
    await this.#writeLedger();
    const opening = file.size === 0 ? [this.#openEntry(file)] : [];
    await this.#append(file, [...opening, ...entries], sync);
  }

  /** Resolves when all written entries are on the disk; those of rotated segments already are. */
  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  /** Closes the segment and enters its end in the ledger. @throws Error if either cannot be written */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      // The ledger must not name an entry that could be lost in a power failure.
      await file.sync();
      this.#noteEnd(file);
    } finally {
      await file.close();
    }
    await this.#writeLedger();
  }

  async #fileToWrite(): Promise<SegmentFile> {
    let file = this.#file;
    if (file?.isGone === true) {
      // The segment was removed. The chain continues in a new segment that names the missing one.
      if (file.size > 0) this.#previous = { segment: file.name, mac: this.#mac };
      this.#noteEnd(file);
      await file.close();
      this.#file = file = undefined;
    }
    if (file === undefined) return this.#create();
    if (file.size < this.#options.maxBytes) return file;
    // The file is created before the ledger entry that names it, so a missing file that is in the ledger was removed.
    const next = await this.#createFile();
    try {
      await this.#append(file, [{ type: 'rotate', next: next.name }], true);
    } catch (error) {
      await next.discard();
      throw error;
    }
    this.#previous = { segment: file.name, mac: this.#mac };
    this.#file = next;
    this.#noteEnd(file);
    this.#note({ type: 'created', segment: next.name });
    await file.close();
    return next;
  }

  async #create(): Promise<SegmentFile> {
    this.#key ??= await ensureKey(this.#options);
    await ensurePrivateDir(this.#options.dir);
    this.#file = await this.#createFile();
    this.#note({ type: 'created', segment: this.#file.name });
    return this.#file;
  }

  #createFile(): Promise<SegmentFile> {
    this.#created += 1;
    const name = `${this.#prefix}-${String(this.#created).padStart(4, '0')}.jsonl`;
    return SegmentFile.create(this.#options.dir, name);
  }

  #noteEnd(file: SegmentFile): void {
    if (file.size > 0)
      this.#note({ type: 'ended', segment: file.name, head: { seq: this.#seq - 1, mac: this.#mac } });
  }

  #note(entry: DistributiveOmit<LedgerEntry, 'at'>): void {
    this.#ledgerDue = [...this.#ledgerDue, { ...entry, at: this.#clock.now().toISOString() }];
  }

  async #writeLedger(): Promise<void> {
    if (this.#ledgerDue.length === 0 || this.#key === undefined) return;
    await appendToLedger(this.#options, this.#ledgerDue, this.#key);
    this.#ledgerDue = [];
  }

  #openEntry(file: SegmentFile): UnstampedEntry {
    return {
      type: 'open',
      version: this.#options.version,
      host: hostname(),
      pid: process.pid,
      key: this.#key === undefined ? '' : keyId(this.#key),
      segment: file.name,
      continues: this.#previous,
    };
  }

  async #append(file: SegmentFile, entries: readonly PendingEntry[], sync: boolean): Promise<void> {
    const key = this.#key;
    if (key === undefined) throw new Error('a segment was opened without a key');
    let seq = this.#seq;
    let mac = this.#mac;
    let text = '';
    for (const entry of entries) {
      const stamped = this.#stamped(typeof entry === 'function' ? entry(key) : entry, seq);
      const sealed = seal(jsonOf(stamped), mac, key);
      text += sealed.line;
      mac = sealed.mac;
      seq += 1;
    }
    await file.append(text, sync);
    this.#seq = seq;
    this.#mac = mac;
  }

  #stamped(entry: UnstampedEntry, seq: number): AuditEntry {
    const at = this.#clock.now().toISOString();
    return { seq, at, up: this.#clock.up(), session: this.session, ...entry };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
