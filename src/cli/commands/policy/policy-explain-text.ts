import { table } from '../../../lib/columns.ts';
import type { Style } from '../../output/output.ts';
import type { Explanation } from './policy-explain.ts';
import { coloured } from './policy-table.ts';

/** An explanation for people: the outcome first, then the rule, then what was passed on the way to it. */
export function explanationText(explanation: Explanation, style: Style): string {
  const { tool, caller, ceiling, decision, decidedAt, passed, guest } = explanation;
  const head = `${style.bold(tool)}, called by ${caller}: `;
  if (ceiling !== null || decision === null) {
    const why = ceiling === null ? '' : `${ceiling.message}\n${ceiling.hint}\n`;
    return `${head}${coloured('deny', style)}, whatever the rules say\n${why}`;
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
    ({ rule: { name }, because }) => `  ${style.dim(`${name}: no, for ${because.join(', ')}`)}`,
  );
  const passedText = before.length === 0 ? '' : `Rules before it that do not match:\n${before.join('\n')}\n`;
  return `${head}${coloured(outcome, style)}\n${table(rows, '  ')}\n${passedText}`;
}

function guestText({ vmid, name, node, pool, tags }: NonNullable<Explanation['guest']>): string {
  const more = [
    ...(node === '' ? [] : [`on ${node}`]),
    ...(pool === null ? [] : [`pool ${pool}`]),
    tags.length === 0 ? 'no tags' : `tags ${tags.join(', ')}`,
  ];
  return `${vmid} ${JSON.stringify(name)}, ${more.join(', ')}`;
}
