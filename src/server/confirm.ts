import type { InputRequiredResult } from '@modelcontextprotocol/server';
import { AppError } from '../lib/errors.ts';
import type { Decision, GuestReader, Subject } from '../policy/types.ts';
import type { Guard } from '../proxmox/types.ts';
import type { ToolCall } from './call-tool.ts';
import type { ServerDeps } from './deps.ts';

/** A call that rules allow or want confirmed. */
export interface Proposal {
  readonly call: ToolCall;
  /** The validated arguments. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly subject: Subject;
  readonly decision: Decision;
  readonly guest: GuestReader;
}

/** The call may be made under this guard, or the client is asked first. */
export type Consent =
  | { readonly kind: 'go'; readonly guard: Guard | null }
  | { readonly kind: 'question'; readonly question: InputRequiredResult };

/** @throws AppError when nobody can be asked, or the answer is no */
export async function confirm({ decision, subject }: Proposal, _deps: ServerDeps): Promise<Consent> {
  const { guest } = decision;
  if (decision.outcome === 'allow') {
    return { kind: 'go', guard: guest === null ? null : { facts: guest, claim: null, source: null } };
  }
  throw new AppError(
    'CONFIRMATION_REQUIRED',
    `${subject.tool} needs a person's confirmation here (rule ${decision.rule}), and this client can't ask for it.`,
    'Tell the user; the operator can allow it in the policy.',
  );
}
