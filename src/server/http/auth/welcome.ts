import type { GeneratedToken } from './generated-token.ts';

/**
 * The start-up notice about a generated token. The start that generates it prints the token and client configurations; later
 * starts print only the file that contains it.
 *
 * @param url URL of `/mcp` for clients on this machine
 * @param show false if stderr is written to a log, which must not contain secrets
 */
export function welcomeText({ token, file, isNew }: GeneratedToken, url: string, show: boolean): string {
  if (isNew && !show)
    return `HTTP_TOKEN is not set, so a token was generated. Clients of ${url} need it; it is stored in ${file}.\n`;
  if (!isNew) return `Clients of ${url} need the token in this file:\n${file}\n`;
  const json = JSON.stringify(
    { mcpServers: { proxmox: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } } } },
    null,
    2,
  );
  return `HTTP_TOKEN is not set, so a token with full access was generated.
It is shown only now, and stored in a file that only you can read:
${file}
Add the server to your clients:

Claude Code:
  claude mcp add --transport http proxmox ${url} --header "Authorization: Bearer ${token}"

Cursor (mcp.json), and VS Code (.vscode/mcp.json; there "servers" replaces
"mcpServers"):
${json.replace(/^/gm, '  ')}

`;
}
