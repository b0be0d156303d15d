import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import type { Elicitation } from '../governance/approval/elicitation.ts';
import type { Decision, Subject } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import type { AppError } from '../lib/errors.ts';
import type { Precondition } from '../remote/remote-types.ts';
import type { TargetOutcome, Tool } from '../tools/tool.ts';
import { boundDepth } from './argument-depth.ts';
import type { ProgressNote } from './progress.ts';

export type Arguments = Readonly<Record<string, unknown>>;

/** One tools/call request, free of protocol detail. */
export interface ToolCall {
  readonly tool: Tool;
  readonly caller: Caller;
  readonly args: Arguments;
  readonly signal: AbortSignal;
  /** Absent when the client did not ask for progress. */
  readonly notify?: (note: ProgressNote) => Promise<void>;
  /** How the client can be asked to confirm; absent when it cannot. */
  readonly elicitation?: Elicitation;
}

/** What a call works on: one container, the node, or the cluster. Each has its own decision and its own outcome. */
export interface CallTarget {
  readonly subject: Subject;
  /** Stage decide; null before it, and when the attributes of the container could not be read. */
  readonly decision: Decision | null;
  /** Stage decide: why nothing is done to this target. The call goes on with the others. */
  readonly refusal: AppError | null;
  /** Stage approve: what must still hold on the node, and the approval that the call redeems there. */
  readonly precondition: Precondition | null;
  /** Stage run; null where the tool reports one outcome for the whole call. */
  readonly outcome: TargetOutcome | null;
}

/** How the call as a whole went. */
export interface CallOutcome {
  /** `ok`, or the code of the failure. */
  readonly code: string;
  /** What the tool answered; undefined when it did not come to answer. */
  readonly data: Arguments | undefined;
  readonly result: CallToolResult | InputRequiredResult;
  readonly durationMs: number;
}

/** Everything that is known of one call. Each stage returns a copy with its fields filled in. */
export interface CallRecord {
  readonly call: ToolCall;
  /** The arguments as they came, nested no deeper than the audit log can hold. */
  readonly args: Arguments;
  /** Stage validate: the arguments as the tool takes them, defaults filled in. */
  readonly input: Arguments | null;
  /** Stage validate: what the call works on. Stages decide, approve and run fill in the rest of each. */
  readonly targets: readonly CallTarget[];
  /** The setting, scope, rule or error code that refused the call before each target was decided on. */
  readonly refusedBy: string | null;
}

/** A call whose arguments are valid. */
export type ValidatedCall = CallRecord & { readonly input: Arguments };

/** A call that came to its end. */
export interface FinishedCall {
  readonly record: CallRecord;
  readonly outcome: CallOutcome;
}

export function openRecord(call: ToolCall): CallRecord {
  return {
    call,
    args: boundDepth(call.args),
    input: null,
    targets: [],
    refusedBy: null,
  };
}

export function openTarget(subject: Subject): CallTarget {
  return { subject, decision: null, refusal: null, precondition: null, outcome: null };
}
