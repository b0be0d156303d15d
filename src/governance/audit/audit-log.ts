import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import type { UnstampedEntry } from './audit-entry.ts';
import type { AuditBegin, AuditCall, AuditEnd, AuditLog } from './audit-types.ts';
import { CoalescedFsync } from './coalesced-fsync.ts';
import { auditUnavailable, reasonOf } from './failures.ts';
import {
  argumentsMac,
  canonicalJson,
  loggedArguments,
  loggedName,
  type RedactText,
  sha256,
} from './logged-arguments.ts';
import { type PendingEntry, SegmentWriter, type WriterOptions } from './segment-writer.ts';

export interface AuditLogOptions extends WriterOptions {
  readonly logger: Logger;
  readonly redact: RedactText;
}

/** Time until the next attempt to write a failed entry, unless a call attempts it earlier. */
const RETRY_MS = 5000;
/** How long `close` waits for calls that are about to end. */
const LAST_ENDS_MS = 200;

type CalledFields = Omit<Extract<UnstampedEntry, { type: 'begin' }>, 'type'>;

/** The arguments of a call as they are logged, and as their MAC is computed. */
interface PreparedArguments {
  readonly shown: Record<string, unknown>;
  readonly canonical: string;
}

interface Waiting {
  readonly entry: PendingEntry;
  readonly sync: boolean;
  /** True if the call was executed, so the entry must be written later if it cannot be now. */
  readonly keep: boolean;
  readonly done: (error?: unknown) => void;
}

/**
 * The audit log of this process. Entries that arrive during a write are part of the next one. The begin of a call with an
 * effect is written before the call runs, and synced before its result is returned, so that sync and call run in parallel.
 * After a failed sync, calls wait for their sync until one succeeds.
 */
export class FileAuditLog implements AuditLog {
  readonly #options: AuditLogOptions;
  readonly #writer: SegmentWriter;
  readonly #fsync: CoalescedFsync;
  /** The last sync failed, so written entries may not be on the disk. */
  #distrusted = false;
  readonly #waiting: Waiting[] = [];
  /** Entries that must be written before any other. */
  #due: readonly Waiting[] = [];
  readonly #open = new Set<string>();
  /** Of a command in many containers, all entries have the same arguments. */
  readonly #prepared = new WeakMap<AuditBegin['args'], Promise<PreparedArguments>>();
  /** All entries of a call have the same result. */
  #lastResult = { text: '', hash: sha256('') };
  #calls = 0;
  #draining: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Entries that are missing because they could not be written. */
  #gap: { refused: number; since: string; reason: string } | undefined;
  #failing = false;
  #closed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#writer = new SegmentWriter(options);
    this.#fsync = new CoalescedFsync(() => this.#writer.sync());
  }

  async begin(begun: AuditBegin): Promise<AuditCall> {
    const call = this.#nextCall();
    try {
      const called = await this.#called(call, begun);
      await this.#put((key) => ({ type: 'begin', ...called(key) }), {
        sync: this.#distrusted,
        keep: false,
      });
    } catch (error) {
      throw auditUnavailable(this.#options.dir, error);
    }
    this.#open.add(call);
    const onDisk = begun.effect === 'read' ? undefined : this.#syncMeanwhile();
    let ending = false;
    return {
      id: call,
      end: async (ended) => {
        if (ending) return;
        ending = true;
        await onDisk;
        // Only now, because close() waits for open calls.
        this.#open.delete(call);
        await this.#put(this.#endOf(call, begun.tool, ended), { sync: false, keep: true }).catch((error) => {
          this.#options.logger.error(
            { call, reason: reasonOf(error) },
            'a call ended, but its end could not be logged',
          );
        });
      },
    };
  }

  async refused(begun: AuditBegin, code: string): Promise<void> {
    // The gap reports it.
    if (code === 'AUDIT_UNAVAILABLE') return;
    try {
      const called = await this.#called(this.#nextCall(), begun);
      await this.#put((key) => ({ type: 'refused', ...called(key), code }), { sync: false, keep: false });
    } catch {
      // The failed write was logged, and a gap entry will follow.
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    for (let waited = 0; this.#open.size > 0 && waited < LAST_ENDS_MS; waited += 10) await sleep(10);
    // A process without calls leaves no file.
    if (this.#calls > 0) {
      await this.#put({ type: 'closed', unended: [...this.#open] }, { sync: true, keep: false }).catch(
        () => {},
      );
    }
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#writer.close().catch((error: unknown) => {
      this.#options.logger.error(
        { reason: reasonOf(error) },
        'the end of the audit log could not be written to its ledger',
      );
    });
  }

  /** Never rejects: the call continues, and later calls wait until a sync succeeds. */
  async #syncMeanwhile(): Promise<void> {
    try {
      await this.#fsync.request();
    } catch (error) {
      this.#distrusted = true;
      const { dir, logger } = this.#options;
      logger.error({ dir, reason: reasonOf(error) }, 'the audit entry of a call may not be on the disk');
    }
  }

  #nextCall(): string {
    this.#calls += 1;
    return `${this.#writer.session}-${this.#calls}`;
  }

  /** The part of an entry that describes the call, as a function of the key. */
  async #called(call: string, begun: AuditBegin): Promise<(key: Uint8Array) => CalledFields> {
    const { caller, tool, effect, vmid, guest, args, outcome, rule, approval } = begun;
    const { redact } = this.#options;
    const [shownCaller, name, { shown, canonical }] = await Promise.all([
      loggedName(caller, redact),
      guest === null ? null : loggedName(guest.name, redact),
      this.#prepare(args),
    ]);
    const described = { call, caller: shownCaller, tool, effect, vmid, name, node: guest?.node ?? null };
    const decision = { outcome, rule, approval };
    return (key) => ({ ...described, args: shown, argsMac: argumentsMac(call, canonical, key), ...decision });
  }

  #prepare(args: AuditBegin['args']): Promise<PreparedArguments> {
    const known = this.#prepared.get(args);
    if (known !== undefined) return known;
    const prepared = loggedArguments(args, this.#options.redact).then((shown) => ({
      shown,
      canonical: canonicalJson(args),
    }));
    this.#prepared.set(args, prepared);
    return prepared;
  }

  #endOf(call: string, tool: string, { resultText, ...ended }: AuditEnd): UnstampedEntry {
    if (this.#lastResult.text !== resultText)
      this.#lastResult = { text: resultText, hash: sha256(resultText) };
    const durationMs = Math.round(ended.durationMs);
    return { type: 'end', call, tool, ...ended, durationMs, result: this.#lastResult.hash };
  }

  /** Rejects when the entry was not written; one to keep is then written later, and never rejects. */
  #put(entry: PendingEntry, how: { readonly sync: boolean; readonly keep: boolean }): Promise<void> {
    if (this.#closed)
      return Promise.reject(new Error('the audit log is closed, because the server is shutting down'));
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ entry, ...how, done });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Together with other entries of this turn of the event loop.
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
    const gap: PendingEntry[] = this.#gap === undefined ? [] : [{ type: 'gap', ...this.#gap }];
    const sync = batch.some((each) => each.sync);
    try {
      await this.#writer.write([...gap, ...batch.map(({ entry }) => entry)], sync);
      if (sync) this.#distrusted = false;
    } catch (cause) {
      return { cause };
    }
    this.#gap = undefined;
    if (this.#failing) this.#options.logger.warn({ dir: this.#options.dir }, 'calls are logged again');
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
      logger.error({ dir, reason }, 'calls are refused, because they cannot be logged');
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
