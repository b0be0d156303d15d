import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { agentVariables, directoryVariables, isLastingSocket } from '../doctor/dropped-variables.ts';
import { availableKeys } from './logins.ts';

/**
 * The environment variables for a client's entry, because clients pass on only a few: the socket of the ssh-agent if the login
 * needs it, and the directories that the user has changed.
 */
export async function entryEnvironment(config: Config, at: HostEnvironment): Promise<Record<string, string>> {
  const target = resolveSshTarget(config, at);
  const named = config.sshKey !== undefined || config.sshPassword !== undefined;
  const needsAgent = !named || target.jumps.length > 0;
  const agents =
    needsAgent && (await availableKeys(config, at)).agent.length > 0 ? agentVariables(target) : [];
  const lasting = agents.filter(({ value }) => isLastingSocket(value));
  const variables = [...lasting, ...directoryVariables(config, target, at)];
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}
