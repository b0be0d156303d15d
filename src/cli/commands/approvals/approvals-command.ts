import { type Command, JSON_OPTION } from '../../command.ts';

/** `proxmox-mcp approvals`. */
export const approvals: Command = {
  name: 'approvals',
  summary: 'Approve or deny calls that wait for approval',
  usage: ['approvals [list]', 'approvals approve ID', 'approvals deny ID', 'approvals passphrase'],
  maxArgs: 2,
  options: [JSON_OPTION],
  details: `Calls wait here with APPROVALS=terminal.

list        show pending calls in full
approve ID  allow that call once, when it is made again
deny ID     deny that call
passphrase  set the passphrase for approve and deny. It must be typed at a
            terminal: arguments, variables and pipes are not accepted

Exit code: 0 done; 2 invalid arguments or settings, or too many wrong
passphrases; 130 Ctrl-C.
`,
  start: async (request) => (await import('./approvals.ts')).approvals(request),
};
