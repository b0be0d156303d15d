import { randomBytes } from 'node:crypto';
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import { type Caller, isLocal } from '../../lib/caller.ts';
import type { ContainerAttributes, FileDigest } from '../../remote/remote-types.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';
import { consumed, expired, invalid, noApproverAvailable, refused } from './approval-errors.ts';
import { type ApprovalScope, approvalScopeOf } from './approval-scope.ts';
import type { DeferredElicitation, Elicitation } from './elicitation.ts';
import { type Clock, ExpiryTimes } from './expiry-times.ts';
import { questionOf } from './question.ts';
import { ChallengeSigner, type SignedChallenge } from './signed-challenge.ts';
import { TerminalApprovals } from './terminal.ts';

/** Who answers: the client that calls, a person at a terminal of the server, or nobody. */
export type Approver = 'client' | 'terminal' | 'deny';

export interface ConfirmationSettings {
  /** The node that the server logs in to, as the operator calls it. */
  readonly host: string;
  readonly stateDir: string;
  /** undefined: `terminal` once an approval passphrase exists, else `client` on stdio and `deny` over HTTP. */
  readonly approvals?: Approver | undefined;
  /** How long a question waits for its answer, and an approval for its use; seconds. */
  readonly approvalTtl: number;
  /** How long a call waits for the answer of a client that is asked meanwhile; seconds. */
  readonly confirmTimeout: number;
}

/** A target that a rule wants confirmed. */
export interface ConfirmedTarget {
  readonly subject: Subject;
  readonly decision: Decision;
  /** null for the node. */
  readonly attributes: ContainerAttributes | null;
}

/** A call that a person is to confirm. */
export interface ConfirmableCall {
  readonly caller: Caller;
  /** The validated arguments. */
  readonly input: Readonly<Record<string, unknown>>;
  /** One or more. */
  readonly targets: readonly ConfirmedTarget[];
  /** undefined: the client declares no way to show questions. */
  readonly elicitation: Elicitation | undefined;
  /** The bytes that an upload would send now; null for any other call. */
  digest(): Promise<FileDigest | null>;
  /** Records on the node that an approval can no longer be used. */
  consume(approvalId: string): Promise<void>;
}

export type Approval =
  | { readonly kind: 'approved'; readonly id: string; readonly source: FileDigest | null }
  | { readonly kind: 'question'; readonly question: InputRequiredResult };

/** Asks people. The operator's settings and rules select the approver, never what a client declares. One per process. */
export class Confirmation {
  readonly #settings: ConfirmationSettings;
  readonly #expiry: ExpiryTimes;
  readonly #signer: ChallengeSigner;
  readonly #terminal: TerminalApprovals;
  /** Ids of challenges that were refused here, with the time at which they expire anyway. */
  readonly #refused = new Map<string, number>();

  constructor(settings: ConfirmationSettings, stateKey: () => Promise<Uint8Array>, clock?: Clock) {
    this.#settings = settings;
    this.#expiry = new ExpiryTimes(clock);
    this.#signer = new ChallengeSigner(stateKey);
    this.#terminal = new TerminalApprovals(settings.stateDir, this.#ttlMs, this.#expiry);
  }

  get #ttlMs(): number {
    return this.#settings.approvalTtl * 1000;
  }

  /** @throws AppError for everything but a plain yes */
  async request(call: ConfirmableCall): Promise<Approval> {
    const approver = await this.#approverOf(call);
    const { caller, input, targets } = call;
    const { host } = this.#settings;
    const tool = firstOf(targets).subject.tool;
    const attributes = targets.map((target) => target.attributes);
    const scope = approvalScopeOf({ tool, input, caller: caller.name, host, attributes });
    const question = (source: FileDigest | null) => questionOf({ targets, input, host, source });
    if (approver === 'client') return this.#askClient(call, scope, question);
    const { digest } = call;
    const granted = await this.#terminal.request({ scope, tool, caller: caller.name, question, digest });
    return { kind: 'approved', ...granted };
  }

  async #approverOf({ caller, targets, elicitation }: ConfirmableCall): Promise<'client' | 'terminal'> {
    const { subject, decision } = firstOf(targets);
    const { approvals } = this.#settings;
    const unavailable = (why: string) => noApproverAvailable(subject, decision, why);
    if (approvals === 'deny') throw unavailable('APPROVALS=deny refuses every such call');
    if (approvals === 'terminal' || targets.some((target) => target.decision.confirmAtTerminal))
      return 'terminal';
    if (approvals === undefined) {
      if (await this.#terminal.hasPassphrase()) return 'terminal';
      if (!isLocal(caller))
        throw unavailable('over HTTP no approver is configured (APPROVALS), nor an approval passphrase set');
    }
    if (!caller.rights.has('confirm'))
      throw unavailable(`the answers of ${caller.name}'s own client do not count without the scope confirm`);
    if (elicitation === undefined) throw unavailable('this client does not show questions');
    return 'client';
  }

  async #askClient(
    call: ConfirmableCall,
    scope: ApprovalScope,
    question: (source: FileDigest | null) => string,
  ): Promise<Approval> {
    const { elicitation, targets, digest } = call;
    const { subject, decision } = firstOf(targets);
    if (elicitation?.kind === 'deferred') {
      const agreed = await this.#returnedAnswer(elicitation, scope, call);
      if (agreed !== undefined) return { kind: 'approved', id: agreed.id, source: agreed.source };
      const source = await digest();
      return { kind: 'question', question: await this.#challenge(elicitation, scope, source, question) };
    }
    const source = await digest();
    const timeoutMs = this.#settings.confirmTimeout * 1000;
    const answer = (await elicitation?.ask(question(source), timeoutMs)) ?? 'unable';
    if (answer === 'yes') return { kind: 'approved', id: newId(), source };
    if (answer !== 'unable') throw refused(answer);
    throw noApproverAvailable(subject, decision, 'this client declares that it shows questions but does not');
  }

  /** The challenge that the client has answered with yes; undefined when it has none, or one for an earlier state of the container. */
  async #returnedAnswer(
    { returnedAnswer, ctx }: DeferredElicitation,
    scope: ApprovalScope,
    call: ConfirmableCall,
  ): Promise<SignedChallenge | undefined> {
    if (returnedAnswer === undefined) return undefined;
    const { answer, state } = returnedAnswer;
    const challenge = await this.#signer.read(state, ctx);
    if (challenge === undefined || challenge.call !== scope.call) throw invalid();
    if (this.#refused.has(challenge.id)) throw consumed();
    if (this.#expiry.isOver(challenge.id, challenge.askedAt, this.#ttlMs)) throw expired();
    if (answer !== 'yes') {
      await this.#refuse(challenge, call);
      throw refused(answer === 'unable' ? 'cancelled' : answer);
    }
    return challenge.target === scope.target ? challenge : undefined;
  }

  /** A refused challenge cannot be accepted later: here at once, and by other replicas once the node has recorded it. */
  async #refuse({ id }: SignedChallenge, call: ConfirmableCall): Promise<void> {
    const now = this.#expiry.now();
    for (const [old, until] of this.#refused) if (until < now) this.#refused.delete(old);
    this.#refused.set(id, now + 2 * this.#ttlMs);
    // Without the node there is nothing that another replica could run on it either.
    await call.consume(id).catch(() => undefined);
  }

  async #challenge(
    elicitation: DeferredElicitation,
    scope: ApprovalScope,
    source: FileDigest | null,
    question: (source: FileDigest | null) => string,
  ): Promise<InputRequiredResult> {
    const id = newId();
    const askedAt = this.#expiry.begin(id, this.#ttlMs);
    const state = await this.#signer.issue({ id, askedAt, ...scope, source });
    return elicitation.question(question(source), state);
  }
}

function firstOf(targets: readonly ConfirmedTarget[]): ConfirmedTarget {
  const [first] = targets;
  if (first === undefined) throw new TypeError('a confirmation without a target');
  return first;
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
