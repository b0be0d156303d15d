import { unneededAttributes } from '../../remote/container-attributes.ts';
import type { AttributeName, ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import { fitsCall, fitsContainer, namesTool, neededAttributes } from './match-fields.ts';
import type { AttributeReader, Decision, DenialCode, Subject } from './policy-types.ts';
import type { RuleSet } from './rules.ts';

/**
 * The first rule that matches decides; if none matches, the fallback does. Then the name of the container must be the
 * expected one. Pure except for calls of `read`, which is called only if the attributes matter.
 *
 * The known attributes may be out of date. If the call is allowed, a precondition on the node checks them. A refusal or an
 * approval question has no such check, so the attributes are read again before either.
 */
export async function evaluatePolicy(
  set: RuleSet,
  subject: Subject,
  read: AttributeReader,
): Promise<Decision> {
  const decision = await evaluateOnce(set, subject, read);
  if (decision.outcome === 'allow' || decision.attributes === null) return decision;
  return evaluateOnce(set, subject, () => read('again'));
}

async function evaluateOnce(set: RuleSet, subject: Subject, read: AttributeReader): Promise<Decision> {
  const effect = effectOf(set, subject);
  const base = { effect, code: null, attributes: null, unneeded: [], confirmAtTerminal: false } as const;
  const needed = new Set<AttributeName>();
  const deny = (
    code: DenialCode,
    rule: string,
    reason: string | null,
    attributes: ContainerAttributes | null = null,
  ) => ({ ...base, outcome: 'deny', rule, reason, code, attributes }) as const satisfies Decision;
  let attributes: ContainerAttributes | undefined;

  let decided: RuleSet['fallback'] = set.fallback;
  let named = false;
  for (const rule of set.rules) {
    if (!fitsCall(rule.match, subject, effect)) continue;
    const names = neededAttributes(rule.match);
    if (names.length > 0) {
      for (const name of names) needed.add(name);
      attributes ??= await read();
      if (attributes === undefined) return deny('ATTRIBUTES_UNREADABLE', rule.name, UNREADABLE);
      if (!fitsContainer(rule.match, attributes)) continue;
    }
    if (rule.requireExpectName && subject.canExpectName && subject.expectName === null) {
      return deny('POLICY_DENIED', rule.name, NAME_REQUIRED, attributes);
    }
    decided = rule;
    named = rule.outcome === 'allow' && namesTool(rule.match, subject.tool);
    break;
  }
  if (decided.outcome === 'deny') return deny('POLICY_DENIED', decided.name, decided.reason, attributes);

  if (subject.expectName !== null) {
    attributes ??= await read();
    if (attributes === undefined) return deny('ATTRIBUTES_UNREADABLE', 'expect_name', NAME_UNREADABLE);
    if (attributes.name.toLowerCase() !== subject.expectName.toLowerCase()) {
      return deny('WRONG_TARGET', 'expect_name', wrongName(subject, attributes), attributes);
    }
  }
  const { name, outcome, reason, confirmAtTerminal } = decided;
  const decision = {
    ...base,
    outcome,
    rule: name,
    reason,
    confirmAtTerminal,
    attributes: attributes ?? null,
    unneeded: unneededAttributes(needed),
  };
  return named ? { ...decision, allowedByName: true } : decision;
}

/** The effect that rules match: `read` for a command of the exact list, otherwise the effect of the tool. */
export function effectOf(set: RuleSet, { effect, command }: Pick<Subject, 'effect' | 'command'>): Effect {
  return effect === 'exec' && command !== null && set.exactCommands.has(command) ? 'read' : effect;
}

const UNREADABLE =
  'The rule needs attributes of the container (such as name, tags or pool), which cannot be read now.';
const NAME_UNREADABLE = 'The name of the container cannot be read now, so `expect_name` cannot be checked.';
const NAME_REQUIRED =
  'The rule requires `expect_name`: call a tool on this container alone, with `expect_name` set to its name.';

function wrongName({ vmid, expectName }: Subject, { name }: ContainerAttributes): string {
  return `Container ${vmid} is named ${JSON.stringify(name)}, not ${JSON.stringify(expectName)}.`;
}
