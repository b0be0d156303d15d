import type { Logger } from '../lib/log.ts';
import { decide } from './decide.ts';
import { presetRules } from './presets.ts';
import { alwaysOf } from './reach.ts';
import type { RuleSet } from './rules.ts';
import type { Policy, PresetName } from './types.ts';

export interface PolicySettings {
  /** Undefined: standard. */
  readonly policy?: PresetName | undefined;
  /** Absolute path; wins over `policy`. */
  readonly policyFile?: string | undefined;
  readonly protectedTag: string;
}

/**
 * The policy that the settings name. A file is read now, and again when it changes or `reload` is called: a faulty one then keeps
 * the rules that held.
 * @param tools the names of all tools
 * @throws PolicyFaults when the file can't be read or understood now
 */
export async function openPolicy(
  settings: PolicySettings,
  tools: readonly string[],
  logger: Logger,
): Promise<Policy> {
  const { policy = 'standard', policyFile, protectedTag } = settings;
  if (policyFile === undefined) return policyOf(() => presetRules(policy, protectedTag));
  // What reads YAML is loaded only where there is some.
  const { openPolicyFile } = await import('./file.ts');
  return openPolicyFile(policyFile, { protectedTag, tools }, logger);
}

/** The rules that the settings name, for looking at them. @throws PolicyFaults */
export async function loadRules(settings: PolicySettings, tools: readonly string[]): Promise<RuleSet> {
  const { policy = 'standard', policyFile, protectedTag } = settings;
  if (policyFile === undefined) return presetRules(policy, protectedTag);
  const { readRules } = await import('./file.ts');
  return readRules(policyFile, { protectedTag, tools });
}

/** A policy on rules that may be exchanged between calls. */
export function policyOf(current: () => RuleSet): Policy {
  return {
    always: (tool, caller) => alwaysOf(current(), tool, caller),
    decide: (subject, guest) => decide(current(), subject, guest),
    onChange: () => () => {},
    refresh: async () => {},
    reload: async () => {},
    close: () => {},
  };
}
