import { type Command, JSON_OPTION } from '../../command.ts';
import { CLIENT_IDS } from '../init/clients.ts';

/** `proxmox-mcp config`. */
export const config: Command = {
  name: 'config',
  summary: 'Print the configuration of an MCP client',
  usage: ['config [CLIENT]', 'config docker'],
  maxArgs: 1,
  options: [JSON_OPTION],
  details: `CLIENT  ${CLIENT_IDS.slice(0, 4).join(', ')},
        ${CLIENT_IDS.slice(4).join(', ')}
docker  the docker run command for the configuration that init wrote

Without a client, lists the configuration file in use and the clients' files.
Snippets contain the absolute paths of Node.js, of this installation and of the
configuration file. Writes nothing; use \`init\` for that.
`,
  start: async (request) => (await import('./config.ts')).config(request),
};
