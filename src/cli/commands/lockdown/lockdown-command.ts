import type { Command } from '../../command.ts';

/** `proxmox-mcp lockdown`. */
export const lockdown: Command = {
  name: 'lockdown',
  summary: 'Refuse every call that changes something',
  usage: ['lockdown [--for 30m]', 'lockdown --off'],
  options: [
    { flag: 'for', placeholder: 'time', help: 'Duration: 30m, 2h, 1d (default: until --off)' },
    { flag: 'off', help: 'End the lockdown' },
  ],
  details: `Takes effect at once, also for running servers: those of this machine through
STATE_DIR and, if the node can be reached, those of the whole cluster through
/etc/pve/proxmox-mcp.lockdown, which only root can write. Tools that change
nothing still work.

Exit code: 0 done; 1 done on this machine, but not on the node; 2 invalid
arguments or settings.
`,
  start: async (request) => (await import('./lockdown.ts')).lockdown(request),
};
