import { type Box, CROWDED, EVERYTHING, split } from './box.ts';
import { fitsCaller, fitsTool } from './match.ts';
import type { Outcome, ToolTraits, Verdict } from './policy-types.ts';
import type { Rule, RuleSet } from './rules.ts';

export interface Reach {
  /** The rules that decide about some input, in order. */
  readonly rules: readonly Rule[];
  /** Whether some input is left to the fallback. */
  readonly fallback: boolean;
}

/**
 * Which rules can decide about calls of a tool by this caller: some input, container and time comes to the rule, and to no
 * rule before it. Errs on one side alone: a rule may be named that no input comes to, never the other way round.
 */
export function reachOf(set: RuleSet, tool: ToolTraits, caller: string): Reach {
  const reached: Rule[] = [];
  let open: readonly Box[] = [EVERYTHING];
  for (const rule of set.rules) {
    if (!fitsTool(rule.match, tool) || !fitsCaller(rule.match, caller)) continue;
    const { inside, outside } = split(open, rule.match, tool, set);
    if (inside) reached.push(rule);
    open = outside;
    if (open.length === 0) return { rules: reached, fallback: false };
    if (open.length > CROWDED) {
      const rest = set.rules.slice(set.rules.indexOf(rule) + 1);
      const likely = rest.filter(({ match }) => fitsTool(match, tool) && fitsCaller(match, caller));
      return { rules: [...reached, ...likely], fallback: true };
    }
  }
  return { rules: reached, fallback: true };
}

/** The outcomes that calls of a tool can have. */
export function outcomesOf({ rules, fallback }: Reach, set: RuleSet): ReadonlySet<Outcome> {
  return new Set([...rules.map(({ outcome }) => outcome), ...(fallback ? [set.fallback.outcome] : [])]);
}

/** What holds for every input of a tool; undefined where it depends on the input. */
export function alwaysOf(set: RuleSet, tool: ToolTraits, caller: string): Verdict | undefined {
  const reach = reachOf(set, tool, caller);
  const [outcome, other] = outcomesOf(reach, set);
  if (outcome === undefined || other !== undefined) return undefined;
  const { name, reason } = reach.rules[0] ?? set.fallback;
  return { outcome, rule: name, reason };
}

/** The rules of a file that never decide, because rules before them take all that they match, or because nothing matches. */
export function neverReached(set: RuleSet, tools: readonly ToolTraits[]): readonly Rule[] {
  const reached = new Set(
    tools.flatMap((tool) => callersIn(set).flatMap((caller) => reachOf(set, tool, caller).rules)),
  );
  return set.rules.filter((rule) => rule.line !== null && !reached.has(rule));
}

/** One caller for each pattern, the caller of stdio, and one that nobody has named. */
function callersIn(set: RuleSet): readonly string[] {
  const patterns = set.rules.flatMap(({ match }) => match.caller ?? []);
  const named = patterns.map((pattern) => pattern.replaceAll('*', '').replaceAll('?', 'x'));
  return [...new Set(['local', 'a caller that no rule names', ...named])];
}
