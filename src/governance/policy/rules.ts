import type { AttributeField } from '../../remote/container-attributes.ts';
import type { Effect, ToolTarget } from '../../tools/tool.ts';
import type { Outcome, PresetName } from './policy-types.ts';
import type { TimeWindow } from './time.ts';

/** A range of vmids, including both ends. */
export interface VmidRange {
  readonly from: number;
  readonly to: number;
}

/** The conditions of a rule on the call itself. */
export interface CallConditions {
  readonly tool: readonly string[];
  readonly target: readonly ToolTarget[];
  readonly effect: readonly Effect[];
  readonly vmid: readonly VmidRange[];
  readonly caller: readonly string[];
  readonly time: readonly TimeWindow[];
  readonly overwrite: boolean;
  readonly force: boolean;
}

/** The conditions that a rule has on the call itself. */
export type CallMatch = { readonly [F in keyof CallConditions]?: CallConditions[F] | undefined };

/** The conditions that a rule has on the container: patterns for its attributes. */
export type ContainerMatch = { readonly [F in AttributeField]?: readonly string[] | undefined };

/** All conditions of a rule. All fields must match, and of a list one value. Strings are globs. */
export type Match = CallMatch & ContainerMatch;

export interface Rule {
  /** Name in messages and in the audit log. */
  readonly name: string;
  readonly match: Match;
  readonly outcome: Outcome;
  /** Approval is given at a terminal, regardless of APPROVALS. */
  readonly confirmAtTerminal: boolean;
  /** Reason for the model, a sentence. */
  readonly reason: string | null;
  /** The call is refused if its tool accepts `expect_name` and it has none. */
  readonly requireExpectName: boolean;
  /** Line in the file; null for a rule of a preset. */
  readonly line: number | null;
}

/** The rules of a policy in order, and its fallback. */
export interface RuleSet {
  readonly extends: PresetName | null;
  readonly rules: readonly Rule[];
  /** Applies if no rule matches. */
  readonly fallback: Pick<Rule, 'name' | 'outcome' | 'reason' | 'confirmAtTerminal'>;
  /** Commands that count as read-only. */
  readonly exactCommands: ReadonlySet<string>;
}
