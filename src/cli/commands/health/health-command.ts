import type { Command } from '../../command.ts';

/** `proxmox-mcp health`. */
export const health: Command = {
  name: 'health',
  summary: 'Check the health of the HTTP server on this machine',
  usage: ['health [--ready] [--port N]'],
  options: [{ flag: 'ready', help: 'Also require that the node can be reached' }],
  details: `For health checks of containers and services. Requests /health at SERVER_HOST
and SERVER_PORT, over TLS if HTTP_TLS_CERT is set. Needs no token and reveals no
secrets.

Exit code: 0 healthy; 1 unhealthy, or no answer within 7 s.
`,
  start: async (request) => (await import('./health.ts')).health(request),
};
