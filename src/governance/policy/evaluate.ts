import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import { fitsCall, fitsGuest, needsGuest } from './match.ts';
import type { AttributeReader, Decision, DenialCode, Subject } from './policy-types.ts';
import type { Rule, RuleSet } from './rules.ts';

/**
 * The first rule that matches decides; where none does, the fallback. Then the name that the caller expects must be that
 * of the container. Pure, but for asking `guest`, which happens only when it matters.
 *
 * What is known of the container may be old. A call that is allowed on it is held to it on the node; a refusal or a question
 * comes from nobody but us, so it is not given before a second look.
 */
export async function decide(set: RuleSet, subject: Subject, guest: AttributeReader): Promise<Decision> {
  const decision = await decideOn(set, subject, guest);
  if (decision.outcome === 'allow' || decision.guest === null) return decision;
  return decideOn(set, subject, () => guest('again'));
}

async function decideOn(set: RuleSet, subject: Subject, guest: AttributeReader): Promise<Decision> {
  const effect = effectOf(set, subject);
  const base = { effect, code: null, guest: null } as const;
  const deny = (
    code: DenialCode,
    rule: string,
    reason: string | null,
    facts: ContainerAttributes | null = null,
  ) => ({ ...base, outcome: 'deny', rule, reason, code, guest: facts }) as const satisfies Decision;
  let facts: ContainerAttributes | undefined;

  let decided: Pick<Rule, 'name' | 'outcome' | 'reason'> = set.fallback;
  for (const rule of set.rules) {
    if (!fitsCall(rule.match, subject, effect)) continue;
    if (needsGuest(rule.match)) {
      facts ??= await guest();
      if (facts === undefined) return deny('ATTRIBUTES_UNREADABLE', rule.name, UNREADABLE);
      const fits = fitsGuest(rule.match, facts);
      if (fits === undefined) return deny('ATTRIBUTES_UNREADABLE', rule.name, NO_POOL, facts);
      if (!fits) continue;
    }
    if (rule.requireExpectName && subject.canExpectName && subject.expectName === null) {
      return deny('POLICY_DENIED', rule.name, NAME_REQUIRED, facts);
    }
    decided = rule;
    break;
  }
  if (decided.outcome === 'deny') return deny('POLICY_DENIED', decided.name, decided.reason, facts);

  if (subject.expectName !== null) {
    facts ??= await guest();
    if (facts === undefined) return deny('ATTRIBUTES_UNREADABLE', 'expect_name', NAME_UNREADABLE);
    if (facts.name !== subject.expectName) {
      return deny('WRONG_TARGET', 'expect_name', wrongName(subject, facts), facts);
    }
  }
  const { name, outcome, reason } = decided;
  return { ...base, outcome, rule: name, reason, guest: facts ?? null };
}

/** As rules see the call: a command of the exact list reads, every other one is what its tool is. */
export function effectOf(set: RuleSet, { effect, command }: Pick<Subject, 'effect' | 'command'>): Effect {
  return effect === 'exec' && command !== null && set.exactCommands.has(command) ? 'read' : effect;
}

const UNREADABLE = 'The rule depends on attributes of the container, which can not be read at the moment.';
const NO_POOL =
  'The rule depends on the pool of the container, which pct does not tell, and sudo on the node allows this server no more than pct.';
const NAME_UNREADABLE = 'The name of the container can not be read at the moment, so it can not be compared.';
const NAME_REQUIRED =
  'The call must say which container it means: give `expect_name`, the name that the container with this vmid has.';

function wrongName({ vmid, expectName }: Subject, { name }: ContainerAttributes): string {
  return `Container ${vmid} is named ${JSON.stringify(name)}, not ${JSON.stringify(expectName)}.`;
}
