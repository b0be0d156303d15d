import { type Command, VMID_OPTION } from '../../command.ts';
import { CLIENT_IDS } from './clients.ts';

/** `proxmox-mcp init`. */
export const init: Command = {
  name: 'init',
  summary: 'Set up the connection and your MCP clients',
  usage: ['init [[user@]host[:port]]', 'init --yes --i-accept-risks HOST --level LEVEL …', 'init --undo'],
  maxArgs: 1,
  options: [
    { flag: 'level', placeholder: 'level', help: 'read-only, containers, or host (containers and the node)' },
    { flag: 'client', placeholder: 'ids', help: `Comma-separated: ${CLIENT_IDS.join(', ')}; all or none` },
    { flag: 'fingerprint', placeholder: 'sha256', help: 'Expected host key: SHA256:…' },
    { flag: 'create-key', help: 'Create a key pair and install it using SSH_PASSWORD, which is not stored' },
    VMID_OPTION,
    { flag: 'yes', help: 'Non-interactive, for scripts; lists what is missing' },
    { flag: 'dry-run', help: 'With --yes: test and print the changes, but write nothing' },
    { flag: 'undo', help: 'Remove everything that init wrote' },
  ],
  details: `Asks for the node, host key, login, permissions and clients; skips questions
that an option answers. Tests the connection as doctor does. Writes only after
the last answer: all changes or none. Settings and secrets go to config.env
(mode 600; or the file of --config), and the clients' entries refer to it.
Existing files are merged: comments are kept, and a backup is made in the same
directory. Finally starts the server as a client does, and lists containers.

Exit code: 0 done; 1 a test or a step failed; 2 something is missing; 130
cancelled: nothing was changed.
`,
  start: async (request) => (await import('./init.ts')).init(request),
};
