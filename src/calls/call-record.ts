import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import type { Elicitation } from '../governance/approval/elicitation.ts';
import type { Decision, Subject } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import type { AppError, Audience } from '../lib/errors.ts';
import type { Precondition } from '../remote/remote-types.ts';
import type { SelectedContainer, TargetOutcome, Tool } from '../tools/tool.ts';
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
  /** The reader of a failure; a model where it is absent. */
  readonly audience?: Audience;
}

/** A target of a call: one container, the node, or the cluster. Each has its own decision and outcome. */
export interface CallTarget {
  readonly subject: Subject;
  /** The container as the tool has selected it; null for a tool that does not select its containers. */
  readonly selected: SelectedContainer | null;
  /** Stage decide; null before it, and if the attributes of the container could not be read. */
  readonly decision: Decision | null;
  /** Stage decide: why this target is excluded, or was skipped by the selection. The call continues with the others. */
  readonly refusal: AppError | null;
  /** Stage decide: why the contents that the tool `alsoDiscloses` are left out; null if they may be returned. */
  readonly withheld: AppError | null;
  /** Stage approve: what must be unchanged on the node, and the approval that the call redeems there. */
  readonly precondition: Precondition | null;
  /** Stage run; null if the tool reports one outcome for the whole call. */
  readonly outcome: TargetOutcome | null;
}

/** The outcome of the whole call. */
export interface CallOutcome {
  /** `ok`, or the error code. */
  readonly code: string;
  /** The result of the tool; undefined if it threw or was not called. */
  readonly data: Arguments | undefined;
  readonly result: CallToolResult | InputRequiredResult;
  readonly durationMs: number;
}

/** All data of one call. Each stage returns a copy with its fields filled in. */
export interface CallRecord {
  readonly call: ToolCall;
  /** The arguments as received, cut at the depth that the audit log supports. */
  readonly args: Arguments;
  /** Stage validate: the validated arguments with defaults. */
  readonly input: Arguments | null;
  /** Stage validate: the targets. Stages decide, approve and run fill in their other fields. */
  readonly targets: readonly CallTarget[];
  /** The setting, scope, rule or error code that refused the call before each target was decided on. */
  readonly refusedBy: string | null;
}

/** A call whose arguments are valid. */
export type ValidatedCall = CallRecord & { readonly input: Arguments };

/** A call that has ended. */
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

export function openTarget(subject: Subject, selected: SelectedContainer | null = null): CallTarget {
  return {
    subject,
    selected,
    decision: null,
    refusal: null,
    withheld: null,
    precondition: null,
    outcome: null,
  };
}
