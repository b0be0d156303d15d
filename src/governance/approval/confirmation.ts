import { randomBytes } from 'node:crypto';
import type { Consent, Proposal } from '../../calls/approve.ts';
import type { ContainerAttributes, FileDigest } from '../../remote/remote-types.ts';
import { expired, invalid, noApproverAvailable, refused } from './approval-errors.ts';
import { type ApprovalScope, approvalScopeOf } from './approval-scope.ts';
import type { DeferredElicitation } from './elicitation.ts';
import { type Clock, ExpiryTimes } from './expiry-times.ts';
import { questionOf } from './question.ts';
import { ChallengeSigner } from './signed-challenge.ts';
import { TerminalApprovals } from './terminal.ts';

export interface ConfirmationSettings {
  /** The node that the server logs in to, as the operator calls it. */
  readonly host: string;
  readonly stateDir: string;
  /** What holds for clients that can't be asked. */
  readonly approvals: 'client' | 'terminal' | 'deny';
  /** How long a question may wait for its answer, and a yes for its use; seconds. */
  readonly approvalTtl: number;
  /** How long a call waits for the answer of a client that is asked meanwhile; seconds. */
  readonly confirmTimeout: number;
}

/** Asks people, in the way that the client can: by a result, by a request, or at a terminal. One for the process. */
export class Confirmation {
  readonly #settings: ConfirmationSettings;
  readonly #lifetimes: ExpiryTimes;
  readonly #tickets: ChallengeSigner;
  readonly #terminal: TerminalApprovals;

  constructor(settings: ConfirmationSettings, stateKey: () => Promise<Uint8Array>, clock?: Clock) {
    this.#settings = settings;
    this.#lifetimes = new ExpiryTimes(clock);
    this.#tickets = new ChallengeSigner(stateKey);
    this.#terminal = new TerminalApprovals(settings.stateDir, this.#ttlMs, this.#lifetimes);
  }

  get #ttlMs(): number {
    return this.#settings.approvalTtl * 1000;
  }

  /**
   * @param facts of the container; null for a call that is not about one
   * @param digest the bytes that an upload would send now; null for any other call
   * @throws AppError for everything but a plain yes
   */
  async seek(
    proposal: Proposal,
    facts: ContainerAttributes | null,
    digest: () => Promise<FileDigest | null>,
  ): Promise<Consent> {
    const { call, input, subject, decision } = proposal;
    const { host, approvals, confirmTimeout } = this.#settings;
    const { tool, caller } = subject;
    const terms = approvalScopeOf({ tool, input, caller, host, facts });
    const question = (source: FileDigest | null) =>
      questionOf({ subject, decision, input, facts, host, source });
    const go = (id: string, source: FileDigest | null): Consent => ({
      kind: 'go',
      guard: { attributes: facts, approvalId: id, source },
    });
    const { dialogue } = call;
    if (dialogue?.kind === 'later') {
      const agreed = await this.#brought(dialogue, terms);
      if (agreed !== undefined) return go(agreed.id, agreed.source);
      return { kind: 'question', question: await this.#ask(dialogue, terms, await digest(), question) };
    }
    if (dialogue?.kind === 'live') {
      const source = await digest();
      const answer = await dialogue.ask(question(source), confirmTimeout * 1000);
      if (answer === 'yes') return go(newId(), source);
      if (answer !== 'unable') throw refused(answer);
    }
    if (approvals !== 'terminal') throw noApproverAvailable(subject, decision);
    const granted = await this.#terminal.seek({ terms, tool, caller, question, digest });
    return go(granted.id, granted.source);
  }

  /** The yes that the client has brought; undefined when it has none, or one for the container as it no longer is. */
  async #brought({ brought, ctx }: DeferredElicitation, terms: ApprovalScope) {
    if (brought === undefined) return undefined;
    if (brought.answer !== 'yes') throw refused(brought.answer === 'unable' ? 'cancelled' : brought.answer);
    const ticket = await this.#tickets.read(brought.state, ctx);
    if (ticket === undefined || ticket.call !== terms.call) throw invalid();
    if (this.#lifetimes.isOver(ticket.id, ticket.askedAt, this.#ttlMs)) throw expired();
    return ticket.target === terms.target ? ticket : undefined;
  }

  async #ask(
    dialogue: DeferredElicitation,
    terms: ApprovalScope,
    source: FileDigest | null,
    question: (source: FileDigest | null) => string,
  ) {
    const id = newId();
    const askedAt = this.#lifetimes.begin(id, this.#ttlMs);
    const state = await this.#tickets.issue({ id, askedAt, ...terms, source });
    return dialogue.question(question(source), state);
  }
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
