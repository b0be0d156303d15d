import { AppError } from '../../lib/errors.ts';
import type { Decision, Verdict } from './policy-types.ts';

/** The error for a denied call: the rule, its reason, and what to do instead. */
export function refusal(tool: string, decision: Verdict & Partial<Pick<Decision, 'code'>>): AppError {
  const { rule, reason, code } = decision;
  switch (code) {
    case 'WRONG_TARGET':
      return new AppError(
        'WRONG_TARGET',
        `${tool} is refused: ${reason ?? 'the name of the container is not the value of expect_name.'} The call was not executed.`,
        'Call proxmox_list_containers, find the container by its name, and call again with its vmid.',
      );
    case 'ATTRIBUTES_UNREADABLE':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `${tool} is refused by the policy, rule ${quoted(rule)}. ${reason ?? ''} The call was not executed.`,
        {
          model:
            'Try again later. If the error persists, tell the user which rule refused the call and why. Do not work around it.',
          person:
            'Run `proxmox-mcp doctor` to check that /etc/pve on the node can be read. POLICY=open needs no attributes.',
        },
      );
    default: {
      const because = reason === null ? '.' : `: ${reason.replace(/[.!?]?$/, '.')}`;
      return new AppError(
        'POLICY_DENIED',
        `${tool} is refused by the policy, rule ${quoted(rule)}${because} The call was not executed.`,
        {
          model: 'Do not work around this. Tell the user which rule refused the call.',
          person:
            'To find out why, run `proxmox-mcp policy explain`. POLICY or POLICY_FILE determines the rules.',
        },
      );
    }
  }
}

function quoted(rule: string): string {
  return `"${rule}"`;
}
