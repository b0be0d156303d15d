import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import { fitsCall, fitsContainer, needsAttributes } from './match-fields.ts';
import type { AttributeReader, Decision, DenialCode, Subject } from './policy-types.ts';
import type { RuleSet } from './rules.ts';

/**
 * The first rule that matches decides; where none does, the fallback. Then the name that the caller expects must be that
 * of the container. Pure, but for asking `read`, which happens only when it matters.
 *
 * What is known of the container may be old. A call that is allowed is held to it by a precondition on the node; a refusal or
 * a question has no such check, so neither is given before the attributes are read once more.
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
  const base = { effect, code: null, attributes: null, confirmAtTerminal: false } as const;
  const deny = (
    code: DenialCode,
    rule: string,
    reason: string | null,
    attributes: ContainerAttributes | null = null,
  ) => ({ ...base, outcome: 'deny', rule, reason, code, attributes }) as const satisfies Decision;
  let attributes: ContainerAttributes | undefined;

  let decided: RuleSet['fallback'] = set.fallback;
  for (const rule of set.rules) {
    if (!fitsCall(rule.match, subject, effect)) continue;
    if (needsAttributes(rule.match)) {
      attributes ??= await read();
      if (attributes === undefined) return deny('ATTRIBUTES_UNREADABLE', rule.name, UNREADABLE);
      if (!fitsContainer(rule.match, attributes)) continue;
    }
    if (rule.requireExpectName && subject.canExpectName && subject.expectName === null) {
      return deny('POLICY_DENIED', rule.name, NAME_REQUIRED, attributes);
    }
    decided = rule;
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
  return { ...base, outcome, rule: name, reason, confirmAtTerminal, attributes: attributes ?? null };
}

/** As rules see the call: a command of the exact list reads, every other one is what its tool is. */
export function effectOf(set: RuleSet, { effect, command }: Pick<Subject, 'effect' | 'command'>): Effect {
  return effect === 'exec' && command !== null && set.exactCommands.has(command) ? 'read' : effect;
}

const UNREADABLE = 'The rule depends on attributes of the container, which cannot be read at the moment.';
const NAME_UNREADABLE = 'The name of the container cannot be read at the moment, so it cannot be compared.';
const NAME_REQUIRED =
  'The call must name its container: set `expect_name` to the name of the container with this vmid.';

function wrongName({ vmid, expectName }: Subject, { name }: ContainerAttributes): string {
  return `Container ${vmid} is named ${JSON.stringify(name)}, not ${JSON.stringify(expectName)}.`;
}
