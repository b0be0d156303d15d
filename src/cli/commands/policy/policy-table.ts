import { possibleOutcomes, possibleRules } from '../../../governance/policy/coverage.ts';
import type { Outcome, ToolTraits } from '../../../governance/policy/policy-types.ts';
import type { RuleSet } from '../../../governance/policy/rules.ts';
import { columnWidths, padCells } from '../../../lib/columns.ts';
import { shortToolName } from '../../../lib/tool-name.ts';
import { type Style, wrapText } from '../../output/output.ts';

/** The possible outcomes for calls of a tool. */
export interface ToolOutlook {
  readonly tool: string;
  readonly effect: ToolTraits['effect'];
  readonly outcomes: readonly Outcome[];
  /** Names of the rules that can decide, in order, with their outcomes. */
  readonly rules: readonly { readonly rule: string; readonly outcome: Outcome }[];
}

export function outlookOf(
  set: RuleSet,
  tools: readonly ToolTraits[],
  caller: string,
): readonly ToolOutlook[] {
  return tools.map((tool) => {
    const possible = possibleRules(set, tool, caller);
    const deciding = [...possible.rules, ...(possible.fallback ? [set.fallback] : [])];
    return {
      tool: tool.tool,
      effect: tool.effect,
      outcomes: ORDER.filter((outcome) => possibleOutcomes(possible, set).has(outcome)),
      rules: deciding.map(({ name, outcome }) => ({ rule: name, outcome })),
    };
  });
}

const ORDER: readonly Outcome[] = ['allow', 'confirm', 'deny'];

/** One line per tool, with its rules in order below. */
export function outlookText(outlooks: readonly ToolOutlook[], style: Style, width: number): string {
  const heads = outlooks.map(({ tool, effect }) => [shortToolName(tool), effect]);
  const widths = columnWidths(heads);
  return outlooks
    .map((each, index) => {
      const head = padCells(heads[index] ?? [], widths).join('  ');
      const rules = each.rules.map(({ rule, outcome }) => `${rule} → ${outcome}`).join('; ');
      const lines = wrapText(rules, Math.max(width - 2, 40)).map((line) => `  ${style.dim(line)}`);
      return [
        `${head}  ${each.outcomes.map((outcome) => colored(outcome, style)).join(' or ')}`,
        ...lines,
      ].join('\n');
    })
    .join('\n');
}

export function colored(outcome: Outcome, style: Style): string {
  if (outcome === 'allow') return style.green(outcome);
  return outcome === 'deny' ? style.red(outcome) : style.yellow(outcome);
}
