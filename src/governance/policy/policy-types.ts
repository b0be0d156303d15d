import type { ErrorCode } from '../../lib/errors.ts';
import type { AttributeName, ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect, ToolTarget } from '../../tools/tool.ts';

export type Outcome = 'allow' | 'confirm' | 'deny';

/** The built-in policies. */
export const PRESET_NAMES = ['read-only', 'careful', 'standard', 'open'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** The properties of a tool that are known before it is called. */
export interface ToolTraits {
  readonly tool: string;
  readonly target: ToolTarget;
  readonly effect: Effect;
  /** Returns contents of containers. */
  readonly discloses?: boolean;
  /** Takes `overwrite`. */
  readonly canOverwrite: boolean;
  /** Takes `force`. */
  readonly canForce: boolean;
  /** Takes `expect_name`. */
  readonly canExpectName: boolean;
}

/** The properties of a call that rules can match. */
export interface Subject extends ToolTraits {
  /** Which part of a call with several decisions it is. */
  readonly role?: string;
  readonly vmid: number | null;
  /** The command line of an exec. */
  readonly command: string | null;
  /** Whether the call has overwrite=true. */
  readonly overwrite: boolean;
  /** Whether the call has force=true. */
  readonly force: boolean;
  /** The container name that the caller expects. */
  readonly expectName: string | null;
  readonly caller: string;
  readonly at: Date;
}

export interface Verdict {
  readonly outcome: Outcome;
  /** Name of the rule, for the model, the operator and the audit log. */
  readonly rule: string;
  /** Reason for the model, a sentence; null if the rule has none. */
  readonly reason: string | null;
}

/** Why a call is denied: by a rule, because of its `expect_name`, or because attributes that a rule needs cannot be read. */
export type DenialCode = Extract<ErrorCode, 'POLICY_DENIED' | 'WRONG_TARGET' | 'ATTRIBUTES_UNREADABLE'>;

export interface Decision extends Verdict {
  /** The effect that rules matched: `read` for a command of the exact list, otherwise the effect of the tool. */
  readonly effect: Effect;
  /** Set if and only if the outcome is `deny`. */
  readonly code: DenialCode | null;
  /** Approval is given at a terminal, regardless of APPROVALS. */
  readonly confirmAtTerminal: boolean;
  /**
   * The attributes that the decision depends on; null if it depends on none. They must be unchanged on the node when the
   * command runs.
   */
  readonly attributes: ContainerAttributes | null;
  /** Those of the attributes that may change, because no rule that was tried depends on them. */
  readonly unneeded: readonly AttributeName[];
  /** Allowed by a rule that names the tool. */
  readonly allowedByName?: true;
}

/**
 * Reads the attributes of the container of a call, from the cache or `again` from the node. undefined: they cannot be read
 * now, so rules that need them deny. An error refuses the call: the container does not exist, or the call was cancelled.
 */
export type AttributeReader = (look?: 'again') => Promise<ContainerAttributes | undefined>;

export interface Policy {
  /** The verdict that all rules for a tool have in common; undefined if they differ. Filters tools/list. */
  always(tool: ToolTraits, caller: string): Verdict | undefined;
  /** Whether a rule that names the tool may allow it. Under READ_ONLY, tools that disclose contents need one. */
  mayAllowByName(tool: ToolTraits, caller: string): boolean;
  /** @param read called only if a rule that may match needs it, or the call has an `expect_name`; see `evaluatePolicy` */
  decide(subject: Subject, read: AttributeReader): Promise<Decision>;
  /** Reads the file again if it has changed. Called before tools are listed or a call is decided; costs one stat. */
  refresh(): Promise<void>;
  /** Calls `listener` when the rules have changed, so that tools/list may differ. @returns a function that removes the listener */
  onChange(listener: () => void): () => void;
  /** Reads the file again, if there is one, on SIGHUP. An invalid file is logged and changes nothing. */
  reload(): Promise<void>;
  close(): void;
}
