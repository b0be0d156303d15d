import { type HostEnvironment, pathsOf } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';

/** An environment variable that is in use and that MCP clients do not pass on to the servers they start. */
export interface DroppedVariable {
  readonly name: string;
  readonly value: string;
  /** The effect of its absence; completes "Without it, a server …". */
  readonly effect: string;
}

/** The variables that name the ssh-agent for the login at `target` or at a jump host. */
export function agentVariables(target: SshTarget): readonly DroppedVariable[] {
  const found = new Map<string, DroppedVariable>();
  for (const { agent, agentVariable: name } of [...target.jumps, target]) {
    if (agent === undefined || name === undefined) continue;
    found.set(name, { name, value: agent, effect: 'cannot use the keys of the ssh-agent' });
  }
  return [...found.values()];
}

/** The variables that change the directories of this program. */
export function directoryVariables(
  config: Pick<Config, 'stateDir'>,
  target: SshTarget,
  at: HostEnvironment,
): readonly DroppedVariable[] {
  const { join } = pathsOf(at);
  const moved = (name: string, usual: string, files: readonly string[]) => {
    const value = at.env[name];
    if (!value || value === usual) return undefined;
    return files.some((file) => file.startsWith(join(value, 'proxmox-mcp'))) ? value : undefined;
  };
  const pinned = [...target.jumps, target].map(({ knownHostsWriteFile }) => knownHostsWriteFile);
  const configHome = moved('XDG_CONFIG_HOME', join(at.home, '.config'), pinned);
  const stateHome = moved('XDG_STATE_HOME', join(at.home, '.local', 'state'), [config.stateDir]);
  return [
    ...(configHome === undefined
      ? []
      : [
          {
            name: 'XDG_CONFIG_HOME',
            value: configHome,
            effect: `does not know the host keys in ${join(configHome, 'proxmox-mcp', 'known_hosts')}`,
          },
        ]),
    ...(stateHome === undefined
      ? []
      : [
          {
            name: 'XDG_STATE_HOME',
            value: stateHome,
            effect: 'keeps its audit log and approvals in another directory (STATE_DIR)',
          },
        ]),
  ];
}

/**
 * Whether the socket of an agent is likely to have the same path after the next login. ssh-agent and launchd create one with a
 * random name for each session; agents started by a desktop, systemd or a password manager keep theirs.
 */
export function isLastingSocket(socket: string): boolean {
  if (socket.startsWith('\\\\')) return true;
  return !(
    /^(?:\/private)?\/(?:tmp|var\/tmp|var\/folders)\//.test(socket) ||
    /\/ssh-\w+\/agent\.\d+$/.test(socket) ||
    /\/\.ssh\/agent\/s\./.test(socket)
  );
}

/** How to pass a variable to the server through the client's entry. */
export function entryRemedy({ name, value }: DroppedVariable): string {
  return `add "env": { "${name}": ${JSON.stringify(value)} } to the server's entry in the configuration of the client`;
}
