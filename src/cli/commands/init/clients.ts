import { type HostEnvironment, pathsOf } from '../../../config/host-environment.ts';
import type { Launch } from './launch.ts';

/** The name under which clients show the server. */
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

/** A program that starts MCP servers, and where it looks for them. */
export interface ClientApp {
  readonly id: ClientId;
  readonly title: string;
  readonly file: string;
  readonly format: 'json' | 'toml';
  /** The object in that file that holds the servers by name. */
  readonly section: 'mcpServers' | 'servers' | 'mcp_servers';
  /** Whether an entry has to say that it is spoken to on stdin and stdout. */
  readonly typed: boolean;
  /** Whether it shows a question of the server (elicitation). Where its documentation does not say so, it does not. */
  readonly asks: boolean;
  /** Files or directories of which one exists if the program has been used on this machine. */
  readonly traces: readonly string[];
}

/** The directory that Windows gives the packaged (MSIX) Claude Desktop in place of %APPDATA%. */
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
  const json = { format: 'json', section: 'mcpServers', typed: false, asks: false } as const;
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
      title: 'Cursor',
      file: home('.cursor', 'mcp.json'),
      asks: true,
      traces: [home('.cursor')],
    },
    {
      ...json,
      id: 'windsurf',
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
      title: 'Codex',
      file: home('.codex', 'config.toml'),
      format: 'toml',
      section: 'mcp_servers',
      traces: [home('.codex')],
    },
  ];
}

/** Where the packaged Claude Desktop of Windows keeps its files; it exists where that one is installed. */
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

/** What a client's file says about a server. */
export interface ClientEntry {
  readonly type?: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The entry of a client's file: how to start the server and where its settings are, by absolute paths, because clients start
 * servers in folders and environments of their own. No setting itself, so no secret either.
 */
export function entryFor(
  { typed }: Pick<ClientApp, 'typed'>,
  launch: Launch,
  configFile: string,
): ClientEntry {
  const { env = {} } = launch;
  return {
    ...(typed ? { type: 'stdio' } : {}),
    command: launch.command,
    args: [...launch.args, '--config', configFile],
    ...(Object.keys(env).length === 0 ? {} : { env }),
  };
}
