import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp policy`. */
export const policy: Command = {
  name: 'policy',
  summary: 'Check a policy file, or explain which rule applies to a call',
  usage: [
    'policy check FILE',
    "policy explain TOOL '{…}' | name=value …",
    'policy show [PRESET]',
    'policy schema',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'caller', placeholder: 'name', help: 'Name of the caller (local)' },
    {
      flag: 'guest',
      placeholder: 'attributes',
      help: 'explain: the container, as name=web,tags=a+b,pool=lab,node=pve1',
    },
    {
      flag: 'at',
      placeholder: 'time',
      help: 'explain: the time of the call, such as 2026-11-20T23:30 (now)',
    },
    JSON_OPTION,
  ],
  details: `check    list errors with line and column, rules that never apply, and the
         outcomes possible for each tool
explain  show the decision on a call, the rule that makes it, and why earlier
         rules do not match. Runs nothing. Reads the container's attributes
         from the node if a rule needs them and --guest is not given
show     print the rules in force, or those of the preset read-only, careful,
         standard or open, as a policy file
schema   print the JSON Schema of policy files, for editors

  proxmox-mcp policy explain stop_container vmid=101 --guest tags=protected

Exit code: 0 done; 1 check found errors, or explain could not decide; 2 invalid
arguments or settings.
`,
  start: async (request) => (await import('./policy.ts')).policy(request),
};
