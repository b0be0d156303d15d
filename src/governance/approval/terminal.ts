import { randomBytes } from 'node:crypto';
import type { FileDigest } from '../../remote/remote-types.ts';
import { expired, invalid, pending, refused, storeUnavailable, tooMany } from './approval-errors.ts';
import type { ApprovalScope } from './approval-scope.ts';
import type { ExpiryTimes } from './expiry-times.ts';
import { isSigned } from './passphrase.ts';
import { type ApprovalAnswer, type ApprovalRequest, ApprovalStore, signedText } from './request-store.ts';

/** Limit, so that a model that calls in a loop neither fills the disk nor hides requests among many others. */
const MAX_WAITING = 200;
/** Limit for one caller, so that one caller cannot block all others. */
const MAX_WAITING_OF_CALLER = 10;

/** A call that needs an approval from a terminal. */
export interface TerminalRequest {
  readonly scope: ApprovalScope;
  readonly tool: string;
  readonly caller: string;
  /** The text of the question, given the digest of an upload. */
  question(source: FileDigest | null): string;
  digest(): Promise<FileDigest | null>;
}

export interface Granted {
  readonly id: string;
  readonly source: FileDigest | null;
}

/** Approvals at a terminal: the request is stored as a file, and the repeated call finds the answer. */
export class TerminalApprovals {
  readonly #store: ApprovalStore;
  readonly #expiry: ExpiryTimes;
  readonly #ttlMs: number;

  constructor(stateDir: string, ttlMs: number, expiry: ExpiryTimes) {
    this.#store = new ApprovalStore(stateDir);
    this.#ttlMs = ttlMs;
    this.#expiry = expiry;
  }

  hasPassphrase(): Promise<boolean> {
    return this.#store.hasPassphrase();
  }

  /** @throws AppError APPROVAL_PENDING, APPROVAL_EXPIRED, APPROVAL_INVALID, CONFIRMATION_REFUSED, STATE_UNAVAILABLE */
  async request(asking: TerminalRequest): Promise<Granted> {
    const waiting: ApprovalRequest[] = [];
    for (const each of await this.#store.list()) {
      const same = each.call === asking.scope.call && each.target === asking.scope.target;
      const given = await this.#store.answerTo(each.id);
      if (same && given !== undefined) return this.#settle(asking, each, given);
      if (this.#expiry.isOver(each.id, each.askedAt, given === undefined ? this.#ttlMs : 2 * this.#ttlMs)) {
        await this.#store.remove(each.id);
      } else if (same) throw pending(each.id.slice(0, 8), this.#minutes());
      else waiting.push(each);
    }
    const own = waiting.filter(({ caller }) => caller === asking.caller);
    if (own.length >= MAX_WAITING_OF_CALLER) throw tooMany(own.length, ` of ${asking.caller}`);
    if (waiting.length >= MAX_WAITING) throw tooMany(waiting.length, '');
    throw await this.#add(asking);
  }

  /** Removes the answer in any case, because it applies to one call only. The precondition on the node enforces that too. */
  async #settle(asking: TerminalRequest, asked: ApprovalRequest, given: ApprovalAnswer): Promise<Granted> {
    const { verdict, answeredAt, signature } = given;
    await this.#store.remove(asked.id);
    const hash = await this.#store.passphrase();
    // The signed question must be the one that this call would show, so that an edited file is not an approval.
    const genuine =
      hash !== undefined &&
      isSigned(hash, signedText(asked, verdict, answeredAt), signature) &&
      asked.question === asking.question(asked.source);
    if (!genuine) throw invalid();
    if (verdict === 'deny') throw refused('declined');
    const late =
      answeredAt - asked.askedAt >= this.#ttlMs ||
      this.#expiry.isOver(`${asked.id} answered`, answeredAt, this.#ttlMs) ||
      this.#expiry.isOver(asked.id, asked.askedAt, 2 * this.#ttlMs);
    if (late) throw expired();
    return { id: asked.id, source: asked.source };
  }

  async #add({ scope, tool, caller, question, digest }: TerminalRequest) {
    const source = await digest();
    const id = randomBytes(16).toString('hex');
    const askedAt = this.#expiry.begin(id, 2 * this.#ttlMs);
    const shown = question(source);
    try {
      await this.#store.add({
        id,
        ...scope,
        source,
        tool,
        caller,
        question: shown,
        askedAt,
        ttlMs: this.#ttlMs,
      });
    } catch (error) {
      return storeUnavailable(error);
    }
    return pending(id.slice(0, 8), this.#minutes());
  }

  #minutes(): number {
    return Math.max(1, Math.round(this.#ttlMs / 60_000));
  }
}
