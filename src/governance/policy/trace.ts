import type { ContainerAttributes } from '../../remote/remote-types.ts';
import { effectOf } from './evaluate.ts';
import { fitsCall, fitsGuest, needsGuest } from './match.ts';
import type { Subject } from './policy-types.ts';
import type { Match, Rule, RuleSet } from './rules.ts';

/** Why a rule did not decide about a call: the fields that do not fit. */
export interface Passed {
  readonly rule: Rule;
  readonly because: readonly string[];
}

/** The rules before the one that decided, with what kept each from it; for people who wonder. */
export function tracePassed(
  set: RuleSet,
  subject: Subject,
  guest: ContainerAttributes | undefined,
  decidedBy: string,
): readonly Passed[] {
  const effect = effectOf(set, subject);
  const index = set.rules.findIndex(({ name }) => name === decidedBy);
  return set.rules.slice(0, index < 0 ? set.rules.length : index).map((rule) => {
    const alone = fieldsOf(rule.match).map((match): readonly [string, boolean] => {
      // Of a container that was not looked at nothing is known, and so nothing is said.
      const ofGuest = !needsGuest(match) || guest === undefined || fitsGuest(match, guest) !== false;
      return [Object.keys(match)[0] ?? '', fitsCall(match, subject, effect) && ofGuest];
    });
    return { rule, because: alone.filter(([, fits]) => !fits).map(([field]) => field) };
  });
}

/** A rule for each of its fields. */
function fieldsOf(match: Match): readonly Match[] {
  return Object.entries(match)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({ [field]: value }));
}
