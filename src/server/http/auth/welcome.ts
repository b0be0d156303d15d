import type { GeneratedToken } from './generated-token.ts';

/**
 * What the operator has to know about the token that was made for want of a configured one: the token itself, with what a
 * client needs to use it, at the start that made it; later only where it is.
 *
 * @param url of `/mcp`, as clients on this machine reach it
 * @param show false where stderr ends in a log, which is no place for a secret
 */
export function welcomeText({ token, file, isNew }: GeneratedToken, url: string, show: boolean): string {
  if (isNew && !show)
    return `No HTTP_TOKEN is set, so a token was made. Clients need it (${url}); it is in ${file}.\n`;
  if (!isNew) return `Clients need the token that is in ${file} (${url}).\n`;
  const json = JSON.stringify(
    { mcpServers: { proxmox: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } } } },
    null,
    2,
  );
  return `No HTTP_TOKEN is set, so a token was made. It gives all rights and is shown this once; it is kept in
${file} (for your eyes only). Clients use it so:

Claude Code:
  claude mcp add --transport http proxmox ${url} --header "Authorization: Bearer ${token}"

Cursor (mcp.json); VS Code (.vscode/mcp.json) calls "mcpServers" "servers":
${json.replace(/^/gm, '  ')}

`;
}
