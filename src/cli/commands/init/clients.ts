import { type HostEnvironment, pathsOf } from '../../../config/host-environment.ts';

export const CLIENT_IDS = ['claude-desktop', 'claude-code', 'vscode', 'cursor'] as const;
export type ClientId = (typeof CLIENT_IDS)[number];

/** A program that starts MCP servers, and where it looks for them. */
export interface ClientApp {
  readonly id: ClientId;
  readonly title: string;
  readonly file: string;
  /** The object in that file that holds the servers by name. */
  readonly section: 'mcpServers' | 'servers';
  /** Whether an entry has to say that it is spoken to on stdin and stdout. */
  readonly typed: boolean;
  /** What there is if the program has been used on this machine. */
  readonly trace: string;
}

/** How a server is started. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables that the server needs and that clients do not pass on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The clients that we can set up, with their paths on this platform. `projectDir`: for those that are set up per project. */
export function clientApps(at: HostEnvironment, projectDir: string): readonly ClientApp[] {
  const { join } = pathsOf(at);
  const data = applicationData(at);
  const desktop = join(data, 'Claude');
  const code = join(data, 'Code', 'User');
  const cursor = join(at.home, '.cursor');
  return [
    {
      id: 'claude-desktop',
      title: 'Claude Desktop',
      file: join(desktop, 'claude_desktop_config.json'),
      section: 'mcpServers',
      typed: false,
      trace: desktop,
    },
    {
      id: 'claude-code',
      title: 'Claude Code (this project)',
      file: join(projectDir, '.mcp.json'),
      section: 'mcpServers',
      typed: true,
      trace: join(at.home, '.claude'),
    },
    {
      id: 'vscode',
      title: 'VS Code',
      file: join(code, 'mcp.json'),
      section: 'servers',
      typed: true,
      trace: code,
    },
    {
      id: 'cursor',
      title: 'Cursor',
      file: join(cursor, 'mcp.json'),
      section: 'mcpServers',
      typed: false,
      trace: cursor,
    },
  ];
}

function applicationData(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  if (at.platform === 'win32') return at.env.APPDATA || join(at.home, 'AppData', 'Roaming');
  if (at.platform === 'darwin') return join(at.home, 'Library', 'Application Support');
  return at.env.XDG_CONFIG_HOME || join(at.home, '.config');
}

/** What stands in a client's file: how to start us and where the settings are. No setting itself, so no secret either. */
export function entryFor(app: ClientApp, launch: Launch, envFile: string): Record<string, unknown> {
  const { env = {} } = launch;
  return {
    ...(app.typed ? { type: 'stdio' } : {}),
    command: launch.command,
    args: [...launch.args, '--env-file', envFile],
    ...(Object.keys(env).length === 0 ? {} : { env }),
  };
}

export interface Running {
  readonly platform: NodeJS.Platform;
  /** Absolute path of the running Node.js. */
  readonly execPath: string;
  /** Options of Node.js itself. */
  readonly execArgv: readonly string[];
  /** Absolute path of the running program, links resolved. */
  readonly script: string;
}

/**
 * How a client starts what is running now. Node.js by its full path: what desktop programs start does not see the
 * PATH of a shell, where version managers put it.
 */
export function launchOf({ platform, execPath, execArgv, script }: Running): Launch {
  // Fetched by npx into its cache, which may be emptied at any time.
  if (/[\\/]_npx[\\/]/.test(script)) {
    const npx = ['-y', 'proxmox-mcp-server'];
    return platform === 'win32'
      ? { command: 'cmd', args: ['/c', 'npx', ...npx] }
      : { command: 'npx', args: npx };
  }
  return { command: execPath, args: [...execArgv, script] };
}
