import type { Config } from '../../../config/settings-schema.ts';
import { findOwnLocation, type OwnLocation } from '../../../remote/own-location.ts';
import type { Finding } from './check.ts';
import type { Nodes } from './node-checks.ts';

type Rules = Pick<Config, 'allowSelf' | 'enableHostExec'>;

/** Whether this machine is a container of the node, or the node itself, and what calls may do there. */
export async function checkOwnContainer(
  { root }: Nodes,
  config: Rules,
  signal: AbortSignal,
): Promise<Finding<true>> {
  try {
    return judgeOwnLocation(await findOwnLocation(root, signal), config);
  } catch {
    return {
      verdict: 'warn',
      detail: 'Could not find out whether this machine is a container of the node.',
      remedy: 'If it is, deny calls for that container with a rule of the policy (POLICY_FILE).',
    };
  }
}

/** Pure. */
export function judgeOwnLocation(
  { vmids, onNode }: OwnLocation,
  { allowSelf, enableHostExec }: Rules,
): Finding<true> {
  const own = [...vmids].join(', ');
  if (own !== '' && allowSelf) {
    return {
      verdict: 'warn',
      detail: `This machine is container ${own}, and ALLOW_SELF=true: commands there can read the tokens, keys and settings of this server.`,
      remedy: 'Remove ALLOW_SELF.',
    };
  }
  if ((own !== '' || onNode) && enableHostExec) {
    const where = own === '' ? 'the node itself' : `container ${own} of the node`;
    return {
      verdict: 'warn',
      detail: `This machine is ${where}, and ENABLE_HOST_EXEC=true: host commands can read the tokens, keys and settings of this server.`,
      remedy: 'Remove ENABLE_HOST_EXEC, or run the server on a machine that is not part of the node.',
    };
  }
  if (own !== '') {
    const detail = `${own}: commands, changes and transfers there are refused`;
    return { verdict: 'ok', detail, value: true };
  }
  const detail = onNode
    ? 'none: this machine is the node itself'
    : 'none: this machine is not part of the node';
  return { verdict: 'ok', detail, value: true };
}
