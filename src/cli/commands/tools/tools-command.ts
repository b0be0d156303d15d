import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp tools`. */
export const tools: Command = {
  name: 'tools',
  summary: 'List the tools',
  usage: ['tools'],
  options: [JSON_OPTION],
  details: `Lists the tools that clients see with these settings (READ_ONLY hides most).
Does not connect to the node. Parameters in [brackets] are optional. --json
prints the result of tools/list, including the schemas.
`,
  start: async (request) => (await import('./tools.ts')).tools(request),
};
