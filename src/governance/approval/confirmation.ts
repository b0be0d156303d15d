import { randomBytes } from 'node:crypto';
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import { type Caller, isLocal } from '../../lib/caller.ts';
import type { ContainerAttributes, FileDigest } from '../../remote/remote-types.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';
import { consumed, expired, invalid, noApproverAvailable, refused } from './approval-errors.ts';
import { type ApprovalScope, approvalScopeOf } from './approval-scope.ts';
import type { DeferredElicitation, Elicitation } from './elicitation.ts';
import { type Clock, ExpiryTimes } from './expiry-times.ts';
import { type ContainerCommand, questionOf } from './question.ts';
import { ChallengeSigner, type SignedChallenge } from './signed-challenge.ts';
import { TerminalApprovals } from './terminal.ts';

/** Who approves calls: the user of the client, a person at a terminal on the server, or no one. */
export type Approver = 'client' | 'terminal' | 'deny';

export interface ConfirmationSettings {
  /** The node that the server connects to, as in HOST. */
  readonly host: string;
  readonly stateDir: string;
  /** undefined: `terminal` once an approval passphrase exists, else `client` on stdio and `deny` over HTTP. */
  readonly approvals?: Approver | undefined;
  /** How long an approval question may be answered, and how long an approval may then be used; seconds. */
  readonly approvalTtl: number;
  /** How long a running call waits for the client's answer; seconds. */
  readonly confirmTimeout: number;
}

/** A target that needs approval by a rule. */
export interface ConfirmedTarget {
  readonly subject: Subject;
  readonly decision: Decision;
  /** null for the node. */
  readonly attributes: ContainerAttributes | null;
}

/** A call that needs approval. */
export interface ConfirmableCall {
  readonly caller: Caller;
  /** The validated arguments. */
  readonly input: Readonly<Record<string, unknown>>;
  /** One or more. */
  readonly targets: readonly ConfirmedTarget[];
  /** The containers that the call also works on, without needing approval. The approval is bound to them too. */
  readonly others: readonly number[];
  /** The command of each container, if they differ. */
  readonly commands: readonly ContainerCommand[];
  /** undefined: the client does not declare that it can show questions. */
  readonly elicitation: Elicitation | undefined;
  /** Size and hash of the bytes that an upload would send now; null for any other call. */
  digest(): Promise<FileDigest | null>;
  /** The node of a call for the host, where HOST names several; null otherwise. */
  readonly hostNode?: string | null;
  /** Marks an approval on the node as used. */
  consume(approvalId: string): Promise<void>;
}

export type Approval =
  | { readonly kind: 'approved'; readonly id: string; readonly source: FileDigest | null }
  | { readonly kind: 'question'; readonly question: InputRequiredResult };

/** Requests approvals. The operator's settings and rules select the approver, never what a client declares. One per process. */
export class Confirmation {
  readonly #settings: ConfirmationSettings;
  readonly #expiry: ExpiryTimes;
  readonly #signer: ChallengeSigner;
  readonly #terminal: TerminalApprovals;
  /** Ids of challenges that this process has refused, with their expiry times. */
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

  /** @throws AppError unless the call was approved or must be returned to the client with a question */
  async request(call: ConfirmableCall): Promise<Approval> {
    const approver = await this.#approverOf(call);
    const { caller, input, targets, others, commands } = call;
    const host = call.hostNode ?? this.#settings.host;
    const tool = firstOf(targets).subject.tool;
    const attributes = targets.map((target) => target.attributes);
    const scope = approvalScopeOf({ tool, input, caller: caller.name, host, attributes, others });
    const question = (source: FileDigest | null) =>
      questionOf({ targets, others, commands, input, host, source });
    if (approver === 'client') return this.#askClient(call, scope, question);
    const { digest } = call;
    const granted = await this.#terminal.request({ scope, tool, caller: caller.name, question, digest });
    return { kind: 'approved', ...granted };
  }

  async #approverOf({ caller, targets, elicitation }: ConfirmableCall): Promise<'client' | 'terminal'> {
    const { subject } = firstOf(targets);
    const decision = decisionOf(targets);
    const { approvals } = this.#settings;
    const unavailable = (why: string) => noApproverAvailable(subject, decision, why);
    if (approvals === 'deny') throw unavailable('the operator has switched approvals off (APPROVALS=deny)');
    if (approvals === 'terminal' || targets.some((target) => target.decision.confirmAtTerminal))
      return 'terminal';
    if (approvals === undefined) {
      if (await this.#terminal.hasPassphrase()) return 'terminal';
      if (!isLocal(caller))
        throw unavailable('for HTTP clients neither APPROVALS nor an approval passphrase is set');
    }
    if (!caller.permissions.has('confirm'))
      throw unavailable(
        `${caller.name} lacks the permission \`confirm\`, so its client cannot approve calls`,
      );
    if (elicitation === undefined) throw unavailable('this client cannot show approval questions');
    return 'client';
  }

  async #askClient(
    call: ConfirmableCall,
    scope: ApprovalScope,
    question: (source: FileDigest | null) => string,
  ): Promise<Approval> {
    const { elicitation, targets, digest } = call;
    const { subject } = firstOf(targets);
    const decision = decisionOf(targets);
    if (elicitation?.kind === 'deferred') {
      const approved = await this.#returnedAnswer(elicitation, scope, call);
      if (approved !== undefined) return { kind: 'approved', id: approved.id, source: approved.source };
      const source = await digest();
      return { kind: 'question', question: await this.#challenge(elicitation, scope, source, question) };
    }
    const source = await digest();
    const timeoutMs = this.#settings.confirmTimeout * 1000;
    const answer = (await elicitation?.ask(question(source), timeoutMs)) ?? 'unable';
    if (answer === 'approved') return { kind: 'approved', id: newId(), source };
    if (answer !== 'unable') throw refused(answer);
    throw noApproverAvailable(
      subject,
      decision,
      'this client did not show the approval question, although it declares that it can',
    );
  }

  /** The challenge that the user has approved; undefined without an answer, or if the container has changed since the question. */
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
    if (answer !== 'approved') {
      await this.#refuse(challenge, call);
      throw refused(answer === 'unable' ? 'cancelled' : answer);
    }
    return challenge.target === scope.target ? challenge : undefined;
  }

  /** A refused challenge cannot be approved later: this process remembers it, and other replicas find it on the node. */
  async #refuse({ id }: SignedChallenge, call: ConfirmableCall): Promise<void> {
    const now = this.#expiry.now();
    for (const [old, until] of this.#refused) if (until < now) this.#refused.delete(old);
    this.#refused.set(id, now + 2 * this.#ttlMs);
    // If the node cannot be reached, another replica cannot execute the call either.
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

/** The decision that requires the approval. */
function decisionOf(targets: readonly ConfirmedTarget[]): Decision {
  return (targets.find(({ decision }) => decision.outcome === 'confirm') ?? firstOf(targets)).decision;
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
