import { dockerLines } from '../../src/cli/commands/config/docker-command.ts';
import { type ClientId, clientApps } from '../../src/cli/commands/init/clients.ts';
import { claudeCodeCommand, snippetFor } from '../../src/cli/commands/init/snippet.ts';
import { installCommand, PACKAGE } from '../../src/lib/package-info.ts';

/** The example machine of the documentation: Node.js of Debian, a global installation, and a set-up by `init`. */
const HOME = '/home/me';
const CONFIG_FILE = `${HOME}/.config/proxmox-mcp/config.env`;
const LAUNCH = { command: '/usr/bin/node', args: [`/usr/lib/node_modules/${PACKAGE.name}/dist/bin.js`] };

const apps = clientApps({ platform: 'linux', env: {}, home: HOME, cwd: HOME, username: 'me' }, false);

function snippet(id: ClientId): { readonly language: string; readonly text: string } {
  const app = apps.find((each) => each.id === id);
  if (app === undefined) throw new Error(`there is no client ${id}`);
  return snippetFor(app, LAUNCH, CONFIG_FILE);
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function fencedSnippet(id: ClientId): () => string {
  return () => {
    const { language, text } = snippet(id);
    return fenced(language, text);
  };
}

/** Puts arrays that fit on one line on one line, as the formatter of this repository does. */
function shortArrays(json: string): string {
  return json.replaceAll(/\[\s+([^[\]]*?)\s+\]/g, (whole, items: string) => {
    const line = `[${items.replaceAll(/\s*\n\s*/g, ' ')}]`;
    return line.length <= 90 ? line : whole;
  });
}

const demo = {
  mcpServers: {
    'proxmox-demo': { command: LAUNCH.command, args: [...LAUNCH.args, 'demo', '--serve'] },
  },
};

/** Code blocks of README and docs, by section name. */
export const SNIPPETS: Readonly<Record<string, () => string>> = {
  install: () => fenced('sh', installCommand()),
  'client-claude-desktop': fencedSnippet('claude-desktop'),
  'client-vscode': fencedSnippet('vscode'),
  'client-codex': fencedSnippet('codex'),
  'client-claude-code': () => fenced('sh', claudeCodeCommand(LAUNCH, CONFIG_FILE)),
  demo: () => fenced('json', shortArrays(JSON.stringify(demo, null, 2))),
  docker: () =>
    fenced(
      'sh',
      `docker build -t ${PACKAGE.name} .\n${dockerLines({
        file: CONFIG_FILE,
        knownHosts: `${HOME}/.config/proxmox-mcp/known_hosts`,
        sshKey: `${HOME}/.ssh/id_ed25519`,
        user: 1000,
        home: HOME,
      }).replaceAll(
        HOME,
        '~',
      )}docker exec proxmox-mcp cat /state/proxmox-mcp/http-token   # the token that clients need`,
    ),
};

/** The files in examples/, by path in the repository. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  'examples/claude_desktop_config.json': snippet('claude-desktop').text,
  'examples/vscode_mcp.json': snippet('vscode').text,
  'examples/codex_config.toml': snippet('codex').text,
};
