import type { Command } from '../../command.ts';

/** `proxmox-mcp serve`. */
export const serve: Command = {
  name: 'serve',
  summary: 'Run the MCP server on stdin/stdout (default)',
  usage: ['[serve]', 'serve --http'],
  options: [],
  details: `Serves one MCP client on stdin/stdout until it disconnects, or HTTP clients with
--http until a signal. The settings come from the configuration file that init
writes, so a client starts the server without options. Nothing connects to the
node before the first call. Logs go to stderr.

SIGHUP reloads the policy file, if there is one. SIGTERM or Ctrl-C cancels the
running commands, kills their processes and exits within 5 s.

Exit code: 0 ended normally; 1 failed, such as a port in use; 2 invalid
settings: all errors are on stderr.
`,
  start: async ({ input }) => (await import('./serve.ts')).serve(input),
};
