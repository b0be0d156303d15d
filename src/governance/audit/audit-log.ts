import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import type { Entry, RecordOf } from './audit-entry.ts';
import type { AuditBegin, AuditCall, AuditEnd, AuditLog } from './audit-types.ts';
import { CoalescedFsync } from './coalesced-fsync.ts';
import { auditUnavailable, reasonOf } from './failures.ts';
import { cleaned, type RedactData, sha256 } from './logged-arguments.ts';
import { SegmentWriter, type WriterOptions } from './segment-writer.ts';

export interface TrailOptions extends WriterOptions {
  readonly logger: Logger;
  readonly redact: RedactData;
}

/** How long a record that could not be written waits for the next attempt, if no call makes one before. */
const RETRY_MS = 5000;
/** How long the end of the process waits for calls that are about to end. */
const LAST_ENDS_MS = 200;

interface Waiting {
  readonly entry: Entry;
  readonly sync: boolean;
  /** What was done has to get on record, now or later; what was not can be refused. */
  readonly keep: boolean;
  readonly done: (error?: unknown) => void;
}

/**
 * The record of this process. All that comes while one write is under way goes into the next. The begin of a call with an
 * effect is with the kernel before the call is made, and on the disk before its end is told: the disk works while the
 * call does. After a sync that failed, calls wait for theirs, until one succeeds.
 */
export class FileTrail implements AuditLog {
  readonly #options: TrailOptions;
  readonly #writer: SegmentWriter;
  readonly #behind: CoalescedFsync;
  /** The last sync failed: what was written may not be there. */
  #distrusted = false;
  readonly #waiting: Waiting[] = [];
  /** What could not be written and has to be, before anything else. */
  #due: readonly Waiting[] = [];
  readonly #open = new Set<string>();
  #calls = 0;
  #draining: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What is missing because it could not be written. */
  #gap: { refused: number; since: string; reason: string } | undefined;
  #failing = false;
  #closed = false;

  constructor(options: TrailOptions) {
    this.#options = options;
    this.#writer = new SegmentWriter(options);
    this.#behind = new CoalescedFsync(() => this.#writer.sync());
  }

  async begin(begun: AuditBegin): Promise<AuditCall> {
    const call = this.#nextCall();
    try {
      const called = await this.#called(call, begun);
      await this.#put({ type: 'begin', ...called }, { sync: this.#distrusted, keep: false });
    } catch (error) {
      throw auditUnavailable(this.#options.dir, error);
    }
    this.#open.add(call);
    const onDisk = begun.effect === 'read' ? undefined : this.#syncBehind();
    let ending = false;
    return {
      id: call,
      end: async (ended) => {
        if (ending) return;
        ending = true;
        await onDisk;
        // Only now: the end of the process waits for the calls that are open.
        this.#open.delete(call);
        await this.#put(endOf(call, begun.tool, ended), { sync: false, keep: true }).catch((error) => {
          this.#options.logger.error(
            { call, reason: reasonOf(error) },
            'a call ended without a record of it',
          );
        });
      },
    };
  }

  async refused(begun: AuditBegin, code: string): Promise<void> {
    // The gap tells of it.
    if (code === 'AUDIT_UNAVAILABLE') return;
    try {
      const called = await this.#called(this.#nextCall(), begun);
      await this.#put({ type: 'refused', ...called, code }, { sync: false, keep: false });
    } catch {
      // Said in the log when it began, and in the gap that the record will show.
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    for (let waited = 0; this.#open.size > 0 && waited < LAST_ENDS_MS; waited += 10) await sleep(10);
    // A process that was never asked for anything leaves no file.
    if (this.#calls > 0) {
      await this.#put({ type: 'closed', unended: [...this.#open] }, { sync: true, keep: false }).catch(
        () => {},
      );
    }
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#writer.close().catch(() => {});
  }

  /** Never rejects: what was begun goes on, and what comes after it is stopped by a disk that can't be trusted. */
  async #syncBehind(): Promise<void> {
    try {
      await this.#behind.request();
    } catch (error) {
      this.#distrusted = true;
      const { dir, logger } = this.#options;
      logger.error({ dir, reason: reasonOf(error) }, 'the record of a call may not have reached the disk');
    }
  }

  #nextCall(): string {
    this.#calls += 1;
    return `${this.#writer.session}-${this.#calls}`;
  }

  async #called(call: string, begun: AuditBegin): Promise<Omit<Extract<Entry, { type: 'begin' }>, 'type'>> {
    const { caller, tool, effect, vmid, guest, args, outcome, rule, approval } = begun;
    const clean = await cleaned({ caller, name: guest?.name ?? null, args }, this.#options.redact);
    const node = guest?.node ?? null;
    return {
      call,
      caller: clean.caller,
      tool,
      effect,
      vmid,
      name: clean.name,
      node,
      args: clean.args,
      outcome,
      rule,
      approval,
    };
  }

  /** Rejects when the entry was not written; one to keep is then written later, and never rejects. */
  #put(entry: Entry, how: { readonly sync: boolean; readonly keep: boolean }): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the record is closed, as the server is ending'));
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ entry, ...how, done });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Together with what else comes in this turn.
    await Promise.resolve();
    do {
      const batch = [...this.#due, ...this.#waiting.splice(0)];
      const error = await this.#write(batch);
      if (error !== undefined) this.#setAside(batch, error);
      else this.#settle(batch);
    } while (this.#waiting.length > 0);
    this.#draining = undefined;
    if (this.#due.length > 0 && !this.#closed) this.#retryLater();
  }

  /** @returns why it failed, if it did */
  async #write(batch: readonly Waiting[]): Promise<{ readonly cause: unknown } | undefined> {
    const gap: Entry[] = this.#gap === undefined ? [] : [{ type: 'gap', ...this.#gap }];
    const sync = batch.some((each) => each.sync);
    try {
      await this.#writer.write([...gap, ...batch.map(({ entry }) => entry)], sync);
      if (sync) this.#distrusted = false;
    } catch (cause) {
      return { cause };
    }
    this.#gap = undefined;
    if (this.#failing) this.#options.logger.warn({ dir: this.#options.dir }, 'calls are put on record again');
    this.#failing = false;
    return undefined;
  }

  #settle(batch: readonly Waiting[]): void {
    this.#due = [];
    for (const { done } of batch) done();
  }

  #setAside(batch: readonly Waiting[], { cause }: { readonly cause: unknown }): void {
    const reason = reasonOf(cause);
    if (!this.#failing) {
      const { dir, logger } = this.#options;
      logger.error({ dir, reason }, 'calls are refused, because they can not be put on record');
    }
    this.#failing = true;
    const lost = batch.filter(({ keep }) => !keep);
    this.#due = batch.filter(({ keep }) => keep);
    if (lost.length > 0) {
      const { refused, since } = this.#gap ?? { refused: 0, since: new Date().toISOString() };
      this.#gap = { refused: refused + lost.length, since, reason };
    }
    for (const { keep, done } of batch) done(keep ? undefined : cause);
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#draining ??= this.#drain();
    }, RETRY_MS).unref();
  }
}

function endOf(
  call: string,
  tool: string,
  ended: AuditEnd,
): Omit<RecordOf<'end'>, 'seq' | 'at' | 'up' | 'session'> {
  const { code, exitCode, bytes, resultText, durationMs, survivors } = ended;
  const result = sha256(resultText);
  return {
    type: 'end',
    call,
    tool,
    code,
    exitCode,
    bytes,
    result,
    durationMs: Math.round(durationMs),
    survivors,
  };
}
