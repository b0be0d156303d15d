import type { Effect, ToolTarget } from '../../tools/tool.ts';
import type { Outcome, PresetName } from './policy-types.ts';
import type { TimeWindow } from './time.ts';

/** Both ends belong to it. */
export interface VmidRange {
  readonly from: number;
  readonly to: number;
}

/** What a rule asks of a call. Within a list one must fit; of the fields that are there, all. Texts are globs. */
export interface Match {
  readonly tool?: readonly string[] | undefined;
  readonly target?: readonly ToolTarget[] | undefined;
  readonly effect?: readonly Effect[] | undefined;
  readonly vmid?: readonly VmidRange[] | undefined;
  readonly name?: readonly string[] | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly pool?: readonly string[] | undefined;
  readonly node?: readonly string[] | undefined;
  readonly caller?: readonly string[] | undefined;
  readonly time?: readonly TimeWindow[] | undefined;
  readonly overwrite?: boolean | undefined;
  readonly force?: boolean | undefined;
}

export interface Rule {
  /** How messages and the record call it. */
  readonly name: string;
  readonly match: Match;
  readonly outcome: Outcome;
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
  readonly fallback: Pick<Rule, 'name' | 'outcome' | 'reason'>;
  /** Commands that count as reading. */
  readonly exactCommands: ReadonlySet<string>;
}
