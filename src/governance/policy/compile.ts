import { OAUTH_PREFIX, RESERVED_CALLERS } from '../../lib/caller.ts';
import { isGlob } from '../../lib/glob.ts';
import { nearest } from '../../lib/suggest.ts';
import { shortToolName } from '../../lib/tool-name.ts';
import { EXACT_COMMANDS } from './exact-commands.ts';
import { matchesTool } from './match-fields.ts';
import { fieldLabel, type PolicyInput } from './policy-schema.ts';
import { presetRules } from './presets.ts';
import type { Match, Rule, RuleSet } from './rules.ts';

/** An error that the schema cannot detect. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
  /** True if the error is in the last key of the path, not in its value. */
  readonly key?: boolean;
}

/** Errors of a file whose fields are valid one by one. */
export function findRuleErrors(input: PolicyInput, tools: readonly string[]): readonly Problem[] {
  return [...unknownTools(input, tools), ...repeatedNames(input), ...confirmsNothing(input)];
}

function confirmsNothing({ rules = [] }: PolicyInput): readonly Problem[] {
  return rules.flatMap(({ confirm, outcome }, index) => {
    if (confirm === undefined || outcome === 'confirm') return [];
    const path = ['rules', index, 'confirm'];
    return [{ path, problem: `${fieldLabel(path)} is allowed only in rules with the outcome confirm` }];
  });
}

function unknownTools({ rules = [] }: PolicyInput, tools: readonly string[]): readonly Problem[] {
  return rules.flatMap(({ match }, index) =>
    (match?.tool ?? []).flatMap((pattern, position) => {
      if (tools.some((tool) => matchesTool(pattern, tool))) return [];
      const meant = isGlob(pattern) ? undefined : nearest(pattern, [...tools, ...tools.map(shortToolName)]);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      const path = ['rules', index, 'match', 'tool', position];
      return [
        {
          path,
          problem: `${fieldLabel(path.slice(0, 4))}: ${JSON.stringify(pattern)} matches no tool${hint}`,
        },
      ];
    }),
  );
}

function repeatedNames({ rules = [] }: PolicyInput): readonly Problem[] {
  return rules.flatMap(({ rule }, index) => {
    if (rules.findIndex((other) => other.rule === rule) === index) return [];
    const path = ['rules', index, 'rule'];
    return [
      {
        path,
        problem: `${fieldLabel(path)} must be unique, but an earlier rule is also named ${JSON.stringify(rule)}`,
      },
    ];
  });
}

/** The rules of a file, then those of the preset that it extends. */
export function toRuleSet(
  input: PolicyInput,
  protectedTag: string,
  lineOf: (rule: number) => number,
): RuleSet {
  const preset = input.extends === undefined ? undefined : presetRules(input.extends, protectedTag);
  const rules = (input.rules ?? []).map(
    ({ rule, match = {}, outcome, reason, require, confirm }, index): Rule => ({
      name: rule,
      match: toMatch(match, outcome),
      outcome,
      confirmAtTerminal: confirm === 'terminal',
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
          confirmAtTerminal: false,
        };
  return {
    extends: input.extends ?? null,
    rules: [...rules, ...(preset?.rules ?? [])],
    fallback,
    exactCommands: new Set([...EXACT_COMMANDS, ...(input.exact_commands ?? [])]),
  };
}

const NO_RULE = 'No rule of the policy allows the call.';

type MatchInput = NonNullable<NonNullable<PolicyInput['rules']>[number]['match']>;

function toMatch({ time, caller, ...rest }: MatchInput, outcome: Rule['outcome']): Match {
  const windows = time?.map(({ days, hours, zone }) => ({
    days: new Set(days?.flat() ?? [0, 1, 2, 3, 4, 5, 6]),
    from: hours?.from ?? 0,
    to: hours?.to ?? 24 * 60,
    zone: zone ?? null,
  }));
  return { ...rest, caller: caller?.flatMap((each) => callerPatterns(each, outcome)), time: windows };
}

/**
 * The caller of a JWT is named `oauth:SUBJECT`, and the prefix is easily forgotten. Rules that deny or confirm match the subject
 * with and without it. Rules that allow do not, because an issuer may assign a subject that is also the name of a token.
 */
function callerPatterns(pattern: string, outcome: Rule['outcome']): readonly string[] {
  if (outcome === 'allow' || /^(?:\*|oauth:)/.test(pattern) || RESERVED_CALLERS.includes(pattern))
    return [pattern];
  return [pattern, `${OAUTH_PREFIX}${pattern}`];
}
