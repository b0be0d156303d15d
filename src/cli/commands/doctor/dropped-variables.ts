import { type HostEnvironment, pathsOf } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';

/** A variable of this environment that matters here, and that MCP clients do not pass on to the servers that they start. */
export interface DroppedVariable {
  readonly name: string;
  readonly value: string;
  /** What a server without it does differently: completes "Without it, a server …". */
  readonly effect: string;
}

/** The variables that name an ssh-agent for the login at `target` or at a hop on the way. */
export function agentVariables(target: SshTarget): readonly DroppedVariable[] {
  const found = new Map<string, DroppedVariable>();
  for (const { agent, agentVariable: name } of [...target.jumps, target]) {
    if (agent === undefined || name === undefined) continue;
    found.set(name, { name, value: agent, effect: 'cannot use the keys of the ssh-agent' });
  }
  return [...found.values()];
}

/** The variables that move files of this program. */
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
            effect: 'keeps its records and approvals in another directory (STATE_DIR)',
          },
        ]),
  ];
}

/**
 * Whether the socket of an agent is likely to be there after the next login. ssh-agent and launchd make one with a random
 * name for each session; agents that a desktop, systemd or a password manager starts keep theirs.
 */
export function isLastingSocket(socket: string): boolean {
  if (socket.startsWith('\\\\')) return true;
  return !(
    /^(?:\/private)?\/(?:tmp|var\/tmp|var\/folders)\//.test(socket) ||
    /\/ssh-\w+\/agent\.\d+$/.test(socket) ||
    /\/\.ssh\/agent\/s\./.test(socket)
  );
}

/** How an entry of a client gets a variable to the server. */
export function entryRemedy({ name, value }: DroppedVariable): string {
  return `add "env": { "${name}": ${JSON.stringify(value)} } to the server's entry in the configuration of the client`;
}
