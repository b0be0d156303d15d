import type { Command } from '../../command.ts';

/** `proxmox-mcp demo`. Its code, which includes the simulator, is bundled separately. */
export const demo: Command = {
  name: 'demo',
  summary: 'Try it on a simulated node; needs no Proxmox',
  usage: ['demo', 'demo --serve [--http] [--scenario FILE]'],
  options: [
    { flag: 'serve', help: 'Serve the simulated node to MCP clients on stdin/stdout, or with --http' },
    { flag: 'scenario', placeholder: 'file', help: 'YAML file with the nodes to simulate (a small homelab)' },
  ],
  details: `Starts a simulated Proxmox cluster behind a real SSH server on this machine and
runs a short tour with a real MCP client, in about five seconds. Nothing leaves
this machine, and nothing is kept.

With --serve, your own assistant can use the simulated node. Register this
command in a client, with the paths that \`proxmox-mcp config CLIENT\` prints:
  node /path/to/dist/bin.js demo --serve
`,
  start: async (request) => {
    const { runDemo } = await import('./demo.ts');
    await runDemo(request, async (input) => (await import('../serve/serve.ts')).serve(input));
  },
};
