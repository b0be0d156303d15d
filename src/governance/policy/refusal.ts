import { AppError } from '../../lib/errors.ts';
import type { Decision, Verdict } from './policy-types.ts';

/** How a denial is told to the model: the rule, its reason, and what to do instead. */
export function refusal(tool: string, decision: Verdict & Partial<Pick<Decision, 'code'>>): AppError {
  const { rule, reason, code } = decision;
  switch (code) {
    case 'WRONG_TARGET':
      return new AppError(
        'WRONG_TARGET',
        `${tool} is refused: ${reason ?? 'the container has another name than expect_name says'} Nothing was done.`,
        'Call proxmox_list_containers, find the container that is meant by its name, and call again with its vmid.',
      );
    case 'ATTRIBUTES_UNREADABLE':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `${tool} is refused by the rule ${quoted(rule)}. ${reason ?? ''} Nothing was done.`,
        'If it stays so, the operator should look with `proxmox-mcp doctor` whether /etc/pve can be read. POLICY=open asks for no attributes.',
      );
    default: {
      const because = reason === null ? '.' : `: ${reason}`;
      return new AppError(
        'POLICY_DENIED',
        `${tool} is refused by the operator's policy, rule ${quoted(rule)}${because}`,
        'Do not look for a way around it: tell your user which rule refused what. The operator can change the policy.',
      );
    }
  }
}

function quoted(rule: string): string {
  return `"${rule}"`;
}
