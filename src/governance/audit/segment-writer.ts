import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ensurePrivateDir } from '../../lib/private-files.ts';
import { type AuditRecord, type Entry, jsonOf } from './audit-entry.ts';
import { ensureKey, type KeySource } from './audit-key.ts';
import { GENESIS, keyId, seal } from './chain.ts';
import { SegmentFile } from './segment-file.ts';

export interface WriterOptions extends KeySource {
  readonly dir: string;
  readonly version: string;
  /** A segment is left for the next one when it has this many bytes. */
  readonly maxBytes: number;
  /** Replaced in tests of clocks that jump. */
  readonly clock?: Clock;
}

export interface Clock {
  now(): Date;
  /** Milliseconds since the process began; never goes back. */
  up(): number;
}

const SYSTEM_CLOCK: Clock = { now: () => new Date(), up: () => Math.round(performance.now()) };

/** The chain of this process: its segments one after another, in files that nobody else writes to. */
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
   * Writes records in this order: all of them, or none, which can then be tried again.
   * @throws what the file system says
   */
  async write(entries: readonly Entry[], sync: boolean): Promise<void> {
    const file = await this.#fileToWrite();
    const opening = file.size === 0 ? [this.#openEntry(file)] : [];
    await this.#append(file, [...opening, ...entries], sync);
  }

  /** Resolves when all that was written is on the disk; a segment that was left for the next one is already. */
  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #fileToWrite(): Promise<SegmentFile> {
    let file = this.#file;
    if (file?.isGone === true) {
      // The chain goes on in a new segment, which names the one that is missing.
      if (file.size > 0) this.#previous = { segment: file.name, mac: this.#mac };
      await file.close();
      this.#file = file = undefined;
    }
    if (file === undefined) return this.#create();
    if (file.size < this.#options.maxBytes) return file;
    // First the new file, then the record that names it: a segment that is named and not there was removed.
    const next = await this.#createFile();
    try {
      await this.#append(file, [{ type: 'rotate', next: next.name }], true);
    } catch (error) {
      await next.discard();
      throw error;
    }
    this.#previous = { segment: file.name, mac: this.#mac };
    this.#file = next;
    await file.close();
    return next;
  }

  async #create(): Promise<SegmentFile> {
    this.#key ??= await ensureKey(this.#options);
    await ensurePrivateDir(this.#options.dir);
    this.#file = await this.#createFile();
    return this.#file;
  }

  #createFile(): Promise<SegmentFile> {
    this.#created += 1;
    const name = `${this.#prefix}-${String(this.#created).padStart(4, '0')}.jsonl`;
    return SegmentFile.create(this.#options.dir, name);
  }

  #openEntry(file: SegmentFile): Entry {
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

  async #append(file: SegmentFile, entries: readonly Entry[], sync: boolean): Promise<void> {
    if (this.#key === undefined) throw new Error('a segment was opened without a key');
    let seq = this.#seq;
    let mac = this.#mac;
    let text = '';
    for (const entry of entries) {
      const record = this.#stamped(entry, seq);
      const sealed = seal(jsonOf(record), mac, this.#key);
      text += sealed.line;
      mac = sealed.mac;
      seq += 1;
    }
    await file.append(text, sync);
    this.#seq = seq;
    this.#mac = mac;
  }

  #stamped(entry: Entry, seq: number): AuditRecord {
    const at = this.#clock.now().toISOString();
    return { seq, at, up: this.#clock.up(), session: this.session, ...entry };
  }
}
