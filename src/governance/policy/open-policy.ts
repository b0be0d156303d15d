import type { Logger } from '../../lib/log.ts';
import { commonVerdict, mayAllowByName } from './coverage.ts';
import { evaluatePolicy } from './evaluate.ts';
import type { Policy, PresetName, Verdict } from './policy-types.ts';
import { presetRules } from './presets.ts';
import type { RuleSet } from './rules.ts';

export interface PolicySettings {
  /** Undefined: standard. */
  readonly policy?: PresetName | undefined;
  /** Absolute path; wins over `policy`. */
  readonly policyFile?: string | undefined;
  readonly protectedTag: string;
}

/**
 * Opens the policy of the settings. A policy file is read now, and again when it changes or `reload` is called; if it is then
 * invalid, the previous rules stay in force.
 * @param toolNames returns the names of all tools; called only if there is a policy file
 * @throws InvalidPolicy if the file cannot be read or is invalid now
 */
export async function openPolicy(
  settings: PolicySettings,
  toolNames: () => Promise<readonly string[]>,
  logger: Logger,
): Promise<Policy> {
  const { policy = 'standard', policyFile, protectedTag } = settings;
  if (policyFile === undefined) {
    const rules = presetRules(policy, protectedTag);
    return policyOf(() => rules);
  }
  // The YAML parser is loaded only if there is a policy file.
  const { openPolicyFile } = await import('./policy-file.ts');
  return openPolicyFile(policyFile, { protectedTag, tools: await toolNames() }, logger);
}

/** The rules of the settings, for commands that show them. @throws InvalidPolicy */
export async function loadRules(settings: PolicySettings, tools: readonly string[]): Promise<RuleSet> {
  const { policy = 'standard', policyFile, protectedTag } = settings;
  if (policyFile === undefined) return presetRules(policy, protectedTag);
  const { readRules } = await import('./policy-file.ts');
  return readRules(policyFile, { protectedTag, tools });
}

/** A policy whose rules may be replaced between calls. */
export function policyOf(current: () => RuleSet): Policy {
  return {
    always: rememberVerdicts(current),
    mayAllowByName: (tool, caller) => mayAllowByName(current(), tool, caller),
    decide: (subject, read) => evaluatePolicy(current(), subject, read),
    onChange: () => () => {},
    refresh: async () => {},
    reload: async () => {},
    close: () => {},
  };
}

/** Limit, because there are as many callers as an issuer has subjects. */
const MAX_REMEMBERED = 5000;

/** Caches the common verdict per rule set, tool and caller, because every call needs it. */
function rememberVerdicts(current: () => RuleSet): Policy['always'] {
  let of = current();
  const verdicts = new Map<string, Verdict | undefined>();
  return (tool, caller) => {
    const set = current();
    if (set !== of || verdicts.size >= MAX_REMEMBERED) verdicts.clear();
    of = set;
    const key = `${tool.tool} ${caller}`;
    if (verdicts.has(key)) return verdicts.get(key);
    const verdict = commonVerdict(set, tool, caller);
    verdicts.set(key, verdict);
    return verdict;
  };
}
