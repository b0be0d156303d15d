import type { AttributeField } from '../../remote/container-attributes.ts';
import type { Effect, ToolTarget } from '../../tools/tool.ts';
import type { Outcome, PresetName } from './policy-types.ts';
import type { TimeWindow } from './time.ts';

/** Both ends belong to it. */
export interface VmidRange {
  readonly from: number;
  readonly to: number;
}

/** The fields of a rule on the call itself. */
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

/** What a rule asks of the call itself. */
export type CallMatch = { readonly [F in keyof CallConditions]?: CallConditions[F] | undefined };

/** What a rule asks of the container: patterns for its attributes. */
export type ContainerMatch = { readonly [F in AttributeField]?: readonly string[] | undefined };

/** What a rule asks of a call. Within a list one must fit; of the fields that are there, all. Texts are globs. */
export type Match = CallMatch & ContainerMatch;

export interface Rule {
  /** Name in messages and in the audit log. */
  readonly name: string;
  readonly match: Match;
  readonly outcome: Outcome;
  /** A person at a terminal confirms, whatever APPROVALS says. */
  readonly confirmAtTerminal: boolean;
  /** A sentence for the model. */
  readonly reason: string | null;
  /** A call that could name its container must do so, or is refused. */
  readonly requireExpectName: boolean;
  /** Where it stands in the file; null for one of a preset. */
  readonly line: number | null;
}

/** All that decides about a call, in order. */
export interface RuleSet {
  readonly extends: PresetName | null;
  readonly rules: readonly Rule[];
  /** What holds where no rule matches. */
  readonly fallback: Pick<Rule, 'name' | 'outcome' | 'reason' | 'confirmAtTerminal'>;
  /** Commands that count as reading. */
  readonly exactCommands: ReadonlySet<string>;
}
