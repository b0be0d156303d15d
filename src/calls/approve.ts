import type { InputRequiredResult } from '@modelcontextprotocol/server';
import { unclaimable } from '../governance/approval/approval-errors.ts';
import type { AttributeReader, Decision, Subject } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import type { ServerDeps } from './call-deps.ts';
import type { ToolCall } from './pipeline.ts';

/** A call that rules allow or want confirmed. */
export interface Proposal {
  readonly call: ToolCall;
  /** The validated arguments. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly subject: Subject;
  readonly decision: Decision;
  readonly guest: AttributeReader;
}

/** The call may be made under this guard, or the client is asked first. */
export type Consent =
  | { readonly kind: 'go'; readonly guard: Precondition | null }
  | { readonly kind: 'question'; readonly question: InputRequiredResult };

/** @throws AppError when nobody can be asked, or the answer is no */
export async function confirm(proposal: Proposal, deps: ServerDeps): Promise<Consent> {
  const { call, input, decision } = proposal;
  if (decision.outcome === 'allow') {
    const { guest } = decision;
    return {
      kind: 'go',
      guard: guest === null ? null : { attributes: guest, approvalId: null, source: null },
    };
  }
  const digest = async (): Promise<FileDigest | null> => {
    const file = call.tool.sends === undefined ? undefined : input[call.tool.sends];
    return typeof file === 'string' ? (await deps.cluster()).localFile(file) : null;
  };
  const confirmation = await deps.confirmation();
  return confirmation.seek(proposal, await factsOf(proposal), digest);
}

/** Nobody can agree to what has no name: a question that can't tell which container it is about is not asked. */
async function factsOf({ subject, decision, guest }: Proposal): Promise<ContainerAttributes | null> {
  if (subject.vmid === null) return null;
  const facts = decision.guest ?? (await guest());
  // Read by pct, as sudo allows no more: then no yes can be used up there, and nobody is asked for what can't be done.
  if (facts !== undefined && facts.pool === undefined) throw unclaimable(subject.tool, decision.rule);
  if (facts !== undefined) return facts;
  throw refusal(subject.tool, {
    ...decision,
    code: 'ATTRIBUTES_UNREADABLE',
    reason: 'Nobody can be asked, because name and node of the container can not be read.',
  });
}
