import { EXACT_COMMANDS } from './exact-commands.ts';
import type { PresetName } from './policy-types.ts';
import type { Rule, RuleSet } from './rules.ts';

const CHANGES = ['write', 'destroy', 'exec'] as const;

/** The rules of a preset. A file that extends it gets them after its own rules. */
export function presetRules(preset: PresetName, protectedTag: string): RuleSet {
  const named = (name: string, rest: Pick<Rule, 'match' | 'reason'>): Rule => ({
    name: `${preset}: ${name}`,
    outcome: 'confirm',
    requireExpectName: false,
    confirmAtTerminal: false,
    line: null,
    ...rest,
  });
  const protectedContainers = named('protected', {
    match: { effect: CHANGES, tag: [protectedTag] },
    reason: `Changes to containers with the tag ${protectedTag} need approval.`,
  });
  const base = { extends: preset, exactCommands: new Set(EXACT_COMMANDS) };
  const fallback = {
    name: `${preset}: everything else`,
    outcome: 'allow',
    reason: null,
    confirmAtTerminal: false,
  } as const;
  switch (preset) {
    case 'open':
      return { ...base, rules: [], fallback };
    case 'standard':
      return { ...base, rules: [protectedContainers], fallback };
    case 'careful':
      return {
        ...base,
        rules: [
          protectedContainers,
          named('host', {
            match: { target: ['host'], effect: CHANGES },
            reason: 'The call works on the Proxmox node itself, so it can affect every guest.',
          }),
          named('kill', {
            match: { force: true },
            reason: 'Killing a container can lose data.',
          }),
          named('destroy', {
            match: { effect: ['destroy'] },
            reason: 'Stopping a container stops all services in it.',
          }),
          named('overwrite', {
            match: { overwrite: true },
            reason: 'Overwriting a file destroys its content.',
          }),
        ],
        fallback,
      };
    case 'read-only': {
      const reads: Rule = {
        ...named('read', { match: { effect: ['read'] }, reason: null }),
        outcome: 'allow',
      };
      return {
        ...base,
        rules: [reads],
        fallback: {
          name: 'read-only: everything else',
          outcome: 'deny',
          reason: 'Only read-only calls are allowed.',
          confirmAtTerminal: false,
        },
      };
    }
  }
}
