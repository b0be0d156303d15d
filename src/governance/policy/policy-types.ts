import type { ErrorCode } from '../../lib/errors.ts';
import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect, ToolTarget } from '../../tools/tool.ts';

export type Outcome = 'allow' | 'confirm' | 'deny';

/** The policies that come with the server. */
export const PRESET_NAMES = ['read-only', 'careful', 'standard', 'open'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** What is known of a tool before it is called. */
export interface ToolTraits {
  readonly tool: string;
  readonly target: ToolTarget;
  readonly effect: Effect;
  /** Takes `overwrite`. */
  readonly canOverwrite: boolean;
  /** Takes `force`. */
  readonly canForce: boolean;
  /** Takes `expect_name`. */
  readonly canExpectName: boolean;
}

/** A call as rules see it; what is not in it cannot be ruled on. */
export interface Subject extends ToolTraits {
  readonly vmid: number | null;
  /** The command line of an exec. */
  readonly command: string | null;
  /** Asked to overwrite what is there. */
  readonly overwrite: boolean;
  /** Asked to kill instead of to shut down. */
  readonly force: boolean;
  /** The name that the caller says the container has. */
  readonly expectName: string | null;
  readonly caller: string;
  readonly at: Date;
}

export interface Verdict {
  readonly outcome: Outcome;
  /** Names the rule for the model, the operator and the record. */
  readonly rule: string;
  /** What the model is told: a sentence; null where the rule gives none. */
  readonly reason: string | null;
}

/** Why a call is refused: by a rule, for its `expect_name`, or because what rules depend on cannot be read. */
export type DenialCode = Extract<ErrorCode, 'POLICY_DENIED' | 'WRONG_TARGET' | 'ATTRIBUTES_UNREADABLE'>;

export interface Decision extends Verdict {
  /** As rules saw the call: `read` for a command of the exact list, else the effect of its tool. */
  readonly effect: Effect;
  /** Set if and only if the outcome is `deny`. */
  readonly code: DenialCode | null;
  /** A person at a terminal confirms, whatever APPROVALS says. */
  readonly confirmAtTerminal: boolean;
  /**
   * The attributes that the decision rests on, null when it rests on none: they must still hold on the node when the
   * command runs.
   */
  readonly attributes: ContainerAttributes | null;
}

/**
 * Reads the attributes of the container that a call concerns: as they are known, or `again` from the node. undefined: they
 * cannot be read now, so rules that need them deny. What it throws refuses the call: there is no such container, or the call
 * was cancelled.
 */
export type AttributeReader = (look?: 'again') => Promise<ContainerAttributes | undefined>;

export interface Policy {
  /** The verdict of every rule that can apply to a tool; undefined when they differ. Filters tools/list. */
  always(tool: ToolTraits, caller: string): Verdict | undefined;
  /** @param read asked only when a rule that could match needs it, or the call has an `expect_name`; see `evaluatePolicy` */
  decide(subject: Subject, read: AttributeReader): Promise<Decision>;
  /** Reads the file again if it has changed. Asked before a list is made or a call is decided; costs one look at the file. */
  refresh(): Promise<void>;
  /** Calls back when other rules hold from now on: tools/list may have changed. Returns how to stop that. */
  onChange(listener: () => void): () => void;
  /** Reads the file again, if there is one, as SIGHUP asks for; a faulty one is told to the log and changes nothing. */
  reload(): Promise<void>;
  close(): void;
}
