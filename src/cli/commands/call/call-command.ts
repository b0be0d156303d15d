import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp call`. */
export const call: Command = {
  name: 'call',
  summary: 'Call one tool, as an MCP client does',
  usage: ['call TOOL \'{"name": value, …}\'', 'call TOOL name=value …', 'call TOOL - <arguments.json'],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [JSON_OPTION],
  details: `The prefix proxmox_ of TOOL is optional. A value that is JSON (101, true) is
parsed as JSON unless the parameter is a string. Prints the result as text, or
its structured content with --json.

  proxmox-mcp call list_containers
  proxmox-mcp call container_exec_command vmid=101 command='df -h /'
  proxmox-mcp call exec_in_containers commands='{"101": "id", "103": "df"}'
  proxmox-mcp call container_status vmid=101 --json

Ctrl-C cancels the call: the command is killed, and the result says whether any
of its processes is left. Exit code: 0 done; 1 the tool failed; 2 invalid
arguments or settings; 130 cancelled by Ctrl-C; for tools that run a command,
the exit code of the command if that is not 0.
`,
  start: async (request) => (await import('./call.ts')).call(request),
};
