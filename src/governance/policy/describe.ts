import { EXACT_COMMANDS } from './exact-commands.ts';
import type { Match, Rule, RuleSet } from './rules.ts';
import { DAYS, type TimeWindow } from './time.ts';

/** A rule set in the form of an equivalent policy file. */
export function describeRules({
  rules,
  fallback,
  exactCommands,
}: RuleSet): Readonly<Record<string, unknown>> {
  const added = [...exactCommands].filter((command) => !EXACT_COMMANDS.includes(command));
  return {
    default: fallback.outcome,
    ...(added.length === 0 ? {} : { exact_commands: added }),
    ...(rules.length === 0 ? {} : { rules: rules.map(describeRule) }),
  };
}

function describeRule(rule: Rule): object {
  const { name, match, outcome, reason, requireExpectName, confirmAtTerminal } = rule;
  const fields = describeMatch(match);
  return {
    rule: name,
    ...(Object.keys(fields).length === 0 ? {} : { match: fields }),
    outcome,
    ...(reason === null ? {} : { reason }),
    ...(confirmAtTerminal ? { confirm: 'terminal' } : {}),
    ...(requireExpectName ? { require: 'expect_name' } : {}),
  };
}

/** The fields of a rule as they are written. */
export function describeMatch({ vmid, time, ...rest }: Match): Readonly<Record<string, unknown>> {
  const vmids = vmid?.map(({ from, to }) => (from === to ? from : `${from}-${to}`));
  const fields = { ...rest, vmid: vmids, time: time?.map(describeWindow) };
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, Array.isArray(value) && value.length === 1 ? value[0] : value]),
  );
}

function describeWindow({ days, from, to, zone }: TimeWindow): object {
  return {
    ...(days.size === 7 ? {} : { days: [...days].map((day) => DAYS[day]) }),
    ...(from === 0 && to === 24 * 60 && days.size < 7 ? {} : { hours: `${clock(from)}-${clock(to)}` }),
    ...(zone === null ? {} : { zone }),
  };
}

function clock(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
