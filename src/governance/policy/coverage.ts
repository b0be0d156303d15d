import { matchesGlob } from '../../lib/glob.ts';
import { type Coverage, coverageOf, namesTool } from './match-fields.ts';
import type { Outcome, ToolTraits, Verdict } from './policy-types.ts';
import type { Rule, RuleSet } from './rules.ts';

/** The rules that can apply to calls of a tool, up to and including the first one without conditions. */
export interface PossibleRules {
  readonly rules: readonly Rule[];
  /** Every rule has conditions, so the fallback can apply. */
  readonly fallback: boolean;
}

/**
 * Conditions are those on arguments, container or time. Rules after the first one without conditions never apply. Whether the
 * conditions of several rules together cover all calls is not checked, so the result may contain rules that never apply, but it
 * never omits one that can.
 */
export function possibleRules(set: RuleSet, tool: ToolTraits, caller: string): PossibleRules {
  const rules: Rule[] = [];
  for (const rule of set.rules) {
    const coverage = coverageOf(rule.match, { tool, caller, exactCommands: set.exactCommands });
    if (coverage === 'never') continue;
    rules.push(rule);
    if (coverage === 'always') return { rules, fallback: false };
  }
  return { rules, fallback: true };
}

/** The outcomes that calls of a tool can have. */
export function possibleOutcomes({ rules, fallback }: PossibleRules, set: RuleSet): ReadonlySet<Outcome> {
  return new Set([...rules.map(({ outcome }) => outcome), ...(fallback ? [set.fallback.outcome] : [])]);
}

/** The verdict that all rules for a tool have in common; undefined if they differ. A tool that is always denied is hidden. */
export function commonVerdict(set: RuleSet, tool: ToolTraits, caller: string): Verdict | undefined {
  const possible = possibleRules(set, tool, caller);
  const [outcome, other] = possibleOutcomes(possible, set);
  if (outcome === undefined || other !== undefined) return undefined;
  const { name, reason } = possible.rules[0] ?? set.fallback;
  return { outcome, rule: name, reason };
}

/** Whether a rule that can apply allows the tool and names it. */
export function mayAllowByName(set: RuleSet, tool: ToolTraits, caller: string): boolean {
  const { rules } = possibleRules(set, tool, caller);
  return rules.some(({ outcome, match }) => outcome === 'allow' && namesTool(match, tool.tool));
}

/** Rules of a file that never apply: they match no tool, or earlier rules without conditions match all their calls. */
export function unreachableRules(set: RuleSet, tools: readonly ToolTraits[]): readonly Rule[] {
  return set.rules.filter((rule, index) => {
    if (rule.line === null) return false;
    const earlier = set.rules.slice(0, index);
    return tools.every(
      (tool) =>
        anyCaller(rule, tool, set) === 'never' ||
        earlier.some((each) => anyCaller(each, tool, set) === 'always' && coversCallers(each, rule)),
    );
  });
}

function anyCaller({ match }: Rule, tool: ToolTraits, { exactCommands }: RuleSet): Coverage {
  return coverageOf(match, { tool, caller: null, exactCommands });
}

/** Whether the earlier rule matches every caller that the later rule matches, judged by their patterns. */
function coversCallers(earlier: Rule, later: Rule): boolean {
  const patterns = earlier.match.caller;
  if (patterns === undefined) return true;
  return (
    later.match.caller?.every((wanted) => patterns.some((pattern) => coversPattern(pattern, wanted))) ?? false
  );
}

/** Compares the later pattern as text. Its `*` must then match a `*` of the earlier pattern, not a `?`. */
function coversPattern(pattern: string, wanted: string): boolean {
  if (pattern === wanted) return true;
  return matchesGlob(pattern, wanted) && !(pattern.includes('?') && wanted.includes('*'));
}
