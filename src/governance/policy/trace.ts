import type { ContainerAttributes } from '../../remote/remote-types.ts';
import { effectOf } from './evaluate.ts';
import { fitsCall, fitsContainer, MATCH_FIELDS, needsAttributes } from './match-fields.ts';
import type { Subject } from './policy-types.ts';
import type { Match, Rule, RuleSet } from './rules.ts';

/** A rule that did not match a call, and the fields that do not match. */
export interface PassedRule {
  readonly rule: Rule;
  readonly because: readonly string[];
}

/** The rules before the one that decided, with the fields that do not match. */
export function tracePassed(
  set: RuleSet,
  subject: Subject,
  attributes: ContainerAttributes | undefined,
  decidedBy: string,
): readonly PassedRule[] {
  const effect = effectOf(set, subject);
  const index = set.rules.findIndex(({ name }) => name === decidedBy);
  const fits = (match: Match): boolean => {
    if (!fitsCall(match, subject, effect)) return false;
    // Without the attributes of the container, no field is reported as a mismatch.
    if (!needsAttributes(match) || attributes === undefined) return true;
    return fitsContainer(match, attributes);
  };
  return set.rules.slice(0, index < 0 ? set.rules.length : index).map((rule) => ({
    rule,
    because: MATCH_FIELDS.filter((field) => {
      const wanted = rule.match[field];
      return wanted !== undefined && !fits({ [field]: wanted });
    }),
  }));
}
