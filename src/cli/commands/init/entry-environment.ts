import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { agentVariables, directoryVariables, isLastingSocket } from '../doctor/dropped-variables.ts';
import { keysAtHand } from './logins.ts';

/**
 * What the entry of a client has to put into the environment of the server, because clients start servers with a few
 * variables only: the socket of the ssh-agent where the login needs it, and the directories that the user has moved.
 */
export async function entryEnvironment(config: Config, at: HostEnvironment): Promise<Record<string, string>> {
  const target = resolveSshTarget(config, at);
  const named = config.sshKey !== undefined || config.sshPassword !== undefined;
  const needsAgent = !named || target.jumps.length > 0;
  const agents = needsAgent && (await keysAtHand(config, at)).agent.length > 0 ? agentVariables(target) : [];
  const lasting = agents.filter(({ value }) => isLastingSocket(value));
  const variables = [...lasting, ...directoryVariables(config, target, at)];
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}
