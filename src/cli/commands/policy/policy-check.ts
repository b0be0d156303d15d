import { stat } from 'node:fs/promises';
import path from 'node:path';
import { traitsOf } from '../../../calls/subject.ts';
import { unreachableRules } from '../../../governance/policy/coverage.ts';
import { InvalidPolicy, readRules } from '../../../governance/policy/policy-file.ts';
import type { RuleSet } from '../../../governance/policy/rules.ts';
import { OAUTH_PREFIX } from '../../../lib/caller.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { Request } from '../../command.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { print, styleFor, textWidth } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { UsageError } from '../../usage-error.ts';
import { outlookOf, outlookText } from './policy-table.ts';

interface Remark {
  readonly line: number;
  readonly problem: string;
}

/** `policy check FILE`: errors with line and column, rules that never apply, and the outcomes of each tool. Exit code 1 on errors. */
export async function check({ input, args, options }: Request): Promise<void> {
  const [name, surplus] = args;
  if (name === undefined || surplus !== undefined) throw new UsageError('policy check needs one FILE');
  // The settings POLICY and POLICY_FILE do not apply to the file that is checked.
  const flags = { ...input.flags, policy: undefined, policyFile: undefined };
  const config = settingsFor({ ...input, flags, fallbacks: { host: 'unused', acceptRisks: 'true' } });
  if (config === undefined) return;
  const file = path.resolve(name);
  const tools = TOOLS.map(traitsOf);
  const json = options.json === 'true';
  let set: RuleSet;
  try {
    const names = tools.map(({ tool }) => tool);
    set = await readRules(file, { protectedTag: config.protectedTag, tools: names });
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    process.exitCode = 1;
    if (json) return print(`${JSON.stringify({ ok: false, errors: error.errors }, null, 2)}\n`);
    const lines = error.errors.map(({ line, column, problem }) => `${name}:${line}:${column}: ${problem}`);
    return print(`${lines.join('\n')}\n`);
  }
  const warnings = [
    ...(await writableRemark(file)),
    ...unreachableRemarks(set),
    ...callerRemarks(set, config.httpTokens ?? []),
  ];
  const { caller = 'local' } = options;
  const outlook = outlookOf(set, tools, caller);
  if (json) return print(`${JSON.stringify({ ok: true, warnings, tools: outlook }, null, 2)}\n`);
  const style = styleFor(wantsColor(process.stdout));
  const remarks = warnings.map(
    ({ line, problem }) => `${name}:${line}: ${style.yellow('warning')}: ${problem}\n`,
  );
  const own = set.rules.filter(({ line }) => line !== null).length;
  const base = set.extends === null ? '' : `, then the rules of ${set.extends}`;
  const depends = set.rules.some(({ match }) => match.caller !== undefined);
  const heading = depends ? `Outcomes for the caller ${caller} (for another one: --caller NAME):\n` : '';
  await print(
    `${remarks.join('')}${name} is valid: ${own === 1 ? '1 rule' : `${own} rules`}${base}; default: ${set.fallback.outcome}.\n\n${heading}${outlookText(outlook, style, textWidth(process.stdout))}\n`,
  );
}

function unreachableRemarks(set: RuleSet): readonly Remark[] {
  return unreachableRules(set, TOOLS.map(traitsOf)).map(({ line, name }) => ({
    line: line ?? 1,
    problem: `rule "${name}" is unreachable: it matches no tool, or an earlier rule without conditions matches the same tools and callers`,
  }));
}

/** Warns of an allow rule with the subject of a JWT as its caller: it never matches, because such a caller is `oauth:SUBJECT`. */
function callerRemarks({ rules }: RuleSet, tokens: readonly { readonly name: string }[]): readonly Remark[] {
  return rules.flatMap(({ line, name, outcome, match }) =>
    (match.caller ?? []).flatMap((caller) => {
      const isToken = tokens.some((token) => token.name === caller);
      if (line === null || outcome !== 'allow' || !caller.includes('@') || isToken) return [];
      if (caller.startsWith(OAUTH_PREFIX)) return [];
      return [
        {
          line,
          problem: `rule "${name}" allows the caller ${JSON.stringify(caller)}, which is not the name of a configured token; the caller of a JWT is named "${OAUTH_PREFIX}${caller}"`,
        },
      ];
    }),
  );
}

/** Warns if every user can write the policy file, and so decide what is allowed. */
async function writableRemark(file: string): Promise<readonly Remark[]> {
  if (process.platform === 'win32') return [];
  const { mode } = await stat(file);
  return (mode & 0o002) === 0
    ? []
    : [{ line: 1, problem: 'every user of this machine can write the file; run chmod o-w' }];
}
