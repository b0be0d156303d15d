import { type HostEnvironment, pathsOf } from '../../../config/host-environment.ts';
import type { Launch } from './launch.ts';

/** The name of the server in clients. */
export const SERVER_NAME = 'proxmox';

export const CLIENT_IDS = [
  'claude-code',
  'claude-desktop',
  'vscode',
  'cursor',
  'windsurf',
  'gemini-cli',
  'codex',
] as const;
export type ClientId = (typeof CLIENT_IDS)[number];

/** Below the minute after which these clients give up a call. */
const WAIT_LIMIT = '45s';

/** An MCP client that starts servers, and its configuration file. */
export interface ClientApp {
  readonly id: ClientId;
  readonly title: string;
  readonly file: string;
  readonly format: 'json' | 'toml';
  /** The section of that file with the servers by name. */
  readonly section: 'mcpServers' | 'servers' | 'mcp_servers';
  /** Whether an entry needs `"type": "stdio"`. */
  readonly typed: boolean;
  /** Whether it supports elicitation. False unless its documentation says so. */
  readonly asks: boolean;
  /** Whether it gives up a call after a minute or so, whatever the progress. */
  readonly cutsCalls: boolean;
  /** Files or directories, one of which exists if the client has been used on this machine. */
  readonly traces: readonly string[];
}

/** The directory that the packaged (MSIX) Claude Desktop on Windows uses instead of %APPDATA%. */
const CLAUDE_PACKAGE = ['Packages', 'Claude_pzs8sxrjxfjjc', 'LocalCache', 'Roaming'];

/**
 * The clients that can be set up, with their paths on this platform.
 * @param packaged whether Claude Desktop on Windows is the packaged one
 */
export function clientApps(at: HostEnvironment, packaged: boolean): readonly ClientApp[] {
  const { join } = pathsOf(at);
  const data = applicationData(at);
  const home = (...names: readonly string[]) => join(at.home, ...names);
  const desktop = join(packaged ? packagedData(at) : data, 'Claude');
  const code = join(data, 'Code', 'User');
  const json = {
    format: 'json',
    section: 'mcpServers',
    typed: false,
    asks: false,
    cutsCalls: false,
  } as const;
  return [
    {
      ...json,
      id: 'claude-code',
      title: 'Claude Code',
      file: home('.claude.json'),
      typed: true,
      asks: true,
      traces: [home('.claude.json'), home('.claude')],
    },
    {
      ...json,
      id: 'claude-desktop',
      cutsCalls: true,
      title: 'Claude Desktop',
      file: join(desktop, 'claude_desktop_config.json'),
      traces: [desktop],
    },
    {
      ...json,
      id: 'vscode',
      title: 'VS Code',
      file: join(code, 'mcp.json'),
      section: 'servers',
      typed: true,
      asks: true,
      traces: [code],
    },
    {
      ...json,
      id: 'cursor',
      cutsCalls: true,
      title: 'Cursor',
      file: home('.cursor', 'mcp.json'),
      asks: true,
      traces: [home('.cursor')],
    },
    {
      ...json,
      id: 'windsurf',
      cutsCalls: true,
      title: 'Windsurf',
      file: home('.codeium', 'windsurf', 'mcp_config.json'),
      traces: [home('.codeium', 'windsurf')],
    },
    {
      ...json,
      id: 'gemini-cli',
      title: 'Gemini CLI',
      file: home('.gemini', 'settings.json'),
      traces: [home('.gemini')],
    },
    {
      ...json,
      id: 'codex',
      cutsCalls: true,
      title: 'Codex',
      file: home('.codex', 'config.toml'),
      format: 'toml',
      section: 'mcp_servers',
      traces: [home('.codex')],
    },
  ];
}

/** The data directory of the packaged Claude Desktop on Windows. It exists if that package is installed. */
export function packagedData(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  return join(at.env.LOCALAPPDATA || join(at.home, 'AppData', 'Local'), ...CLAUDE_PACKAGE);
}

function applicationData(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  if (at.platform === 'win32') return at.env.APPDATA || join(at.home, 'AppData', 'Roaming');
  if (at.platform === 'darwin') return join(at.home, 'Library', 'Application Support');
  return at.env.XDG_CONFIG_HOME || join(at.home, '.config');
}

/** The entry of a server in a client's configuration. */
export interface ClientEntry {
  readonly type?: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The entry for a client's configuration: the command that starts the server, and the configuration file. Paths are absolute,
 * because clients start servers in any directory. It contains no setting but WAIT_LIMIT, and so no secrets.
 */
export function entryFor(
  { typed, cutsCalls }: Pick<ClientApp, 'typed' | 'cutsCalls'>,
  launch: Launch,
  configFile: string,
): ClientEntry {
  const env = { ...launch.env, ...(cutsCalls ? { WAIT_LIMIT } : {}) };
  return {
    ...(typed ? { type: 'stdio' } : {}),
    command: launch.command,
    args: [...launch.args, '--config', configFile],
    ...(Object.keys(env).length === 0 ? {} : { env }),
  };
}
