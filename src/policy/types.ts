import type { GuestFacts } from '../proxmox/types.ts';
import type { Effect, ToolTarget } from '../tools/tool.ts';

export type Outcome = 'allow' | 'confirm' | 'deny';

/** A call as rules see it; what is not in it cannot be ruled on. */
export interface Subject {
  readonly tool: string;
  readonly target: ToolTarget;
  readonly effect: Effect;
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
  /** What the model is told; null where the rule gives none. */
  readonly reason: string | null;
}

export interface Decision extends Verdict {
  /** The attributes that the decision rests on: they must still hold on the node when the command runs. */
  readonly guest: GuestFacts | null;
}

export interface Policy {
  /** What holds for every input of a tool; undefined when it depends on the input. Filters tools/list. */
  always(tool: Pick<Subject, 'tool' | 'target' | 'effect'>, caller: string): Verdict | undefined;
  /**
   * @param guest reads the container's attributes, asked only when a rule needs them; undefined: they can't be read, so
   * such rules deny
   */
  decide(subject: Subject, guest: () => Promise<GuestFacts | undefined>): Promise<Decision>;
  close(): void;
}
