import type { Command } from './commands.ts';

/** `proxmox-mcp demo`: its code, and with it the simulator, is a file of its own in dist. */
export const demo: Command = {
  name: 'demo',
  summary: 'See it at work on a simulated node; needs no Proxmox',
  usage: ['demo', 'demo --serve [--http] [--scenario FILE]'],
  options: [
    { flag: 'serve', help: 'Serve the simulated node to MCP clients on stdin and stdout, or --http' },
    { flag: 'scenario', placeholder: 'file', help: 'What to simulate, as YAML (a small homelab)' },
  ],
  details: `Starts a simulated Proxmox cluster behind a real SSH server on this machine, and
lets a real MCP client do the main things with it in about ten seconds. Nothing
of it leaves this machine or is kept.

With --serve a person can talk to the simulated node. In the configuration of
Claude Desktop:
  "proxmox-demo": { "command": "npx", "args": ["-y", "proxmox-mcp-server", "demo", "--serve"] }
`,
  start: async (request) => {
    const { runDemo } = await import('./demo.ts');
    await runDemo(request, async (input) => (await import('./serve.ts')).serve(input));
  },
};
