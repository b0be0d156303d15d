import { isGlob } from '../../lib/glob.ts';
import { nearest } from '../../lib/suggest.ts';
import { shortToolName } from '../../lib/tool-name.ts';
import { EXACT_COMMANDS } from './exact-commands.ts';
import { matchesTool } from './match.ts';
import { fieldLabel, type PolicyInput } from './policy-schema.ts';
import { presetRules } from './presets.ts';
import type { Match, Rule, RuleSet } from './rules.ts';

/** A fault that the schema can't see. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
  /** It is about the last key of the path, not about its value. */
  readonly key?: boolean;
}

/** What is wrong with a file whose fields are each right. */
export function contradictionsIn(input: PolicyInput, tools: readonly string[]): readonly Problem[] {
  return [...unknownTools(input, tools), ...repeatedNames(input)];
}

function unknownTools({ rules = [] }: PolicyInput, tools: readonly string[]): readonly Problem[] {
  return rules.flatMap(({ match }, index) =>
    (match?.tool ?? []).flatMap((pattern, position) => {
      if (tools.some((tool) => matchesTool(pattern, tool))) return [];
      const meant = isGlob(pattern) ? undefined : nearest(pattern, [...tools, ...tools.map(shortToolName)]);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      const path = ['rules', index, 'match', 'tool', position];
      return [
        { path, problem: `${fieldLabel(path.slice(0, 4))}: ${JSON.stringify(pattern)} is no tool${hint}` },
      ];
    }),
  );
}

function repeatedNames({ rules = [] }: PolicyInput): readonly Problem[] {
  return rules.flatMap(({ rule }, index) => {
    if (rules.findIndex((other) => other.rule === rule) === index) return [];
    const path = ['rules', index, 'rule'];
    return [
      { path, problem: `${fieldLabel(path)} has the name of a rule before it: ${JSON.stringify(rule)}` },
    ];
  });
}

/** The rules of a file, and those of the preset that it extends. */
export function toRuleSet(
  input: PolicyInput,
  protectedTag: string,
  lineOf: (rule: number) => number,
): RuleSet {
  const preset = input.extends === undefined ? undefined : presetRules(input.extends, protectedTag);
  const rules = (input.rules ?? []).map(
    ({ rule, match = {}, outcome, reason, require }, index): Rule => ({
      name: rule,
      match: toMatch(match),
      outcome,
      reason: reason ?? null,
      requireExpectName: require === 'expect_name',
      line: lineOf(index),
    }),
  );
  const fallback =
    input.default === undefined && preset !== undefined
      ? preset.fallback
      : {
          name: 'default',
          outcome: input.default ?? 'deny',
          reason: input.default === undefined ? NO_RULE : null,
        };
  return {
    extends: input.extends ?? null,
    rules: [...rules, ...(preset?.rules ?? [])],
    fallback,
    exactCommands: new Set([...EXACT_COMMANDS, ...(input.exact_commands ?? [])]),
  };
}

const NO_RULE = 'No rule of the policy allows it.';

type MatchInput = NonNullable<NonNullable<PolicyInput['rules']>[number]['match']>;

function toMatch({ time, ...rest }: MatchInput): Match {
  const windows = time?.map(({ days, hours, zone }) => ({
    days: new Set(days?.flat() ?? [0, 1, 2, 3, 4, 5, 6]),
    from: hours?.from ?? 0,
    to: hours?.to ?? 24 * 60,
    zone: zone ?? null,
  }));
  return { ...rest, time: windows };
}
