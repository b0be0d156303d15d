import { table } from '../../../lib/columns.ts';
import { nextStep } from '../../../lib/errors.ts';
import {
  ATTRIBUTE_NAMES,
  type AttributeName,
  CONTAINER_ATTRIBUTES,
  valuesOf,
} from '../../../remote/container-attributes.ts';
import type { Style } from '../../output/output.ts';
import type { Explanation } from './policy-explain.ts';
import { colored } from './policy-table.ts';

/** An explanation as text: the outcome, the rule, and the earlier rules that do not match. */
export function explanationText(explanation: Explanation, style: Style): string {
  const { tool, caller, ceiling, decision, decidedAt, passed, guest } = explanation;
  const head = `${style.bold(tool)}, called by ${caller}: `;
  if (ceiling !== null || decision === null) {
    const why = ceiling === null ? '' : `${ceiling.message}\n${nextStep(ceiling, 'person')}\n`;
    return `${head}${colored('deny', style)}, regardless of the rules\n${why}`;
  }
  const { outcome, rule, reason, effect, code } = decision;
  const where = decidedAt === null ? '' : decidedAt.line === null ? ' (preset)' : ` (line ${decidedAt.line})`;
  const rows: readonly (readonly [string, string])[] = [
    ['rule', `${rule}${where}`],
    ...(code === null || code === 'POLICY_DENIED' ? [] : [['code', code] as const]),
    ...(decidedAt === null || Object.keys(decidedAt.match).length === 0
      ? []
      : [['matches', JSON.stringify(decidedAt.match)] as const]),
    ...(reason === null ? [] : [['reason', reason] as const]),
    ['counts as', effect],
    ...(guest === null ? [] : [['container', guestText(guest)] as const]),
  ];
  const before = passed.map(
    ({ rule: { name }, because }) => `  ${style.dim(`${name}: ${because.join(', ')}`)}`,
  );
  const passedText =
    before.length === 0 ? '' : `Earlier rules, and the conditions that do not match:\n${before.join('\n')}\n`;
  return `${head}${colored(outcome, style)}\n${table(rows, '  ')}\n${passedText}`;
}

/** `101 "web", on pve1, pool lab, tags a, b`. */
function guestText(attributes: NonNullable<Explanation['guest']>): string {
  const others = ATTRIBUTE_NAMES.filter((name) => name !== 'name').map((name: AttributeName) => {
    const { label } = CONTAINER_ATTRIBUTES[name];
    const values = valuesOf(attributes, name).filter((value) => value !== '');
    return values.length === 0 ? '' : `${label.toLowerCase()} ${values.join(', ')}`;
  });
  return [
    `${attributes.vmid} ${JSON.stringify(attributes.name)}`,
    ...others.filter((text) => text !== ''),
  ].join(', ');
}
