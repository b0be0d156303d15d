import { type Command, JSON_OPTION, VMID_OPTION } from '../../command.ts';

/** `proxmox-mcp doctor`. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Test the setup, from settings to a command in a container',
  usage: ['doctor [--exec VMID] [--report]'],
  options: [
    VMID_OPTION,
    { flag: 'report', help: 'Print a block for a bug report, without addresses, names or secrets' },
    JSON_OPTION,
  ],
  details: `Checks the settings, name resolution, port, host key, login, Proxmox VE,
privileges, attach method, cluster files, quorum, containers, clock, latency,
and the local directories for transfers and the audit log. Each line begins
with ✓ (ok), ! (warning), ✗ (failed) or – (skipped), and says what to do.
Changes nothing, here or on the node: a new host key is shown, but not saved.

Exit code: 0 no problem; 1 problems; 2 invalid settings: the server would not
start.
`,
  start: async (request) => (await import('./doctor.ts')).doctor(request),
};
