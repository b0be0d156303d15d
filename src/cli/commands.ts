import type { LoadInput } from '../config/load.ts';
import { demo } from './commands/demo/demo-command.ts';
import { CLIENT_IDS } from './commands/init/clients.ts';
import { VERBS } from './verb-commands.ts';

/** The settings, arguments and options of one invocation of a command. */
export interface Request {
  /** Settings from the command line. */
  readonly input: LoadInput;
  /** The positional arguments of the command. */
  readonly args: readonly string[];
  /** The command's own options by flag; a switch that is on is 'true'. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** An option of a command that is not a setting. Options with the same name mean the same in every command. */
export interface CommandOption {
  readonly flag: string;
  /** The placeholder of the value in help texts. Absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
}

/** The description of a command, for the parser and the help. Its code is loaded by `start`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Usage lines without the name of the program. */
  readonly usage: readonly string[];
  /** The maximum number of arguments; 0 if absent. */
  readonly maxArgs?: number;
  readonly options: readonly CommandOption[];
  /** Present if everything after the first argument is passed through, including options. */
  readonly passesThrough?: true;
  /** The rest of the help text. */
  readonly details: string;
  start(request: Request): Promise<void>;
}

const JSON_OPTION: CommandOption = { flag: 'json', help: 'Print JSON, for programs' };

const VMID_OPTION: CommandOption = {
  flag: 'exec',
  placeholder: 'vmid',
  help: 'Also run a harmless command in this container',
};

const serve: Command = {
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
  start: async ({ input }) => (await import('./commands/serve/serve.ts')).serve(input),
};

const tools: Command = {
  name: 'tools',
  summary: 'List the tools',
  usage: ['tools'],
  options: [JSON_OPTION],
  details: `Lists the tools that clients see with these settings (READ_ONLY hides most).
Does not connect to the node. Parameters in [brackets] are optional. --json
prints the result of tools/list, including the schemas.
`,
  start: async (request) => (await import('./commands/tools/tools.ts')).tools(request),
};

const call: Command = {
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
  proxmox-mcp call container_status vmid=101 --json

Ctrl-C cancels the call: the command is killed, and the result says whether any
of its processes is left. Exit code: 0 done; 1 the tool failed; 2 invalid
arguments or settings; 130 cancelled by Ctrl-C; for tools that run a command,
the exit code of the command if that is not 0.
`,
  start: async (request) => (await import('./commands/call/call.ts')).call(request),
};

const policy: Command = {
  name: 'policy',
  summary: 'Check a policy file, or explain which rule applies to a call',
  usage: [
    'policy check FILE',
    "policy explain TOOL '{…}' | name=value …",
    'policy show [PRESET]',
    'policy schema',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'caller', placeholder: 'name', help: 'Name of the caller (local)' },
    {
      flag: 'guest',
      placeholder: 'attributes',
      help: 'explain: the container, as name=web,tags=a+b,pool=lab,node=pve1',
    },
    {
      flag: 'at',
      placeholder: 'time',
      help: 'explain: the time of the call, such as 2026-11-20T23:30 (now)',
    },
    JSON_OPTION,
  ],
  details: `check    list errors with line and column, rules that never apply, and the
         outcomes possible for each tool
explain  show the decision on a call, the rule that makes it, and why earlier
         rules do not match. Runs nothing. Reads the container's attributes
         from the node if a rule needs them and --guest is not given
show     print the rules in force, or those of the preset read-only, careful,
         standard or open, as a policy file
schema   print the JSON Schema of policy files, for editors

  proxmox-mcp policy explain stop_container vmid=101 --guest tags=protected

Exit code: 0 done; 1 check found errors, or explain could not decide; 2 invalid
arguments or settings.
`,
  start: async (request) => (await import('./commands/policy/policy.ts')).policy(request),
};

const audit: Command = {
  name: 'audit',
  summary: 'Show, follow or verify the audit log',
  usage: [
    'audit verify [--accept] [--call id --arguments json]',
    'audit show [filters]',
    'audit tail [filters]',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'since', placeholder: 'time', help: 'Since 30m, 2h or 7d ago, or since 2026-11-20T23:30' },
    { flag: 'until', placeholder: 'time', help: 'Until then, in the same format' },
    { flag: 'tool', placeholder: 'name', help: 'Only calls of this tool' },
    { flag: 'vmid', placeholder: 'id', help: 'Only calls on this container' },
    { flag: 'caller', placeholder: 'name', help: 'Name of the caller (local)' },
    {
      flag: 'outcome',
      placeholder: 'word',
      help: 'allow, confirm or deny; ok or an error code such as TIMEOUT',
    },
    { flag: 'session', placeholder: 'id', help: 'Calls of one session: its ID or the name of a segment' },
    { flag: 'failed', help: 'Only calls that were refused, failed, exited non-zero or never ended' },
    { flag: 'wide', help: 'All columns, also on a narrow terminal' },
    { flag: 'last', placeholder: 'n', help: 'The last n calls (show: 50, or all of a period; tail: 10)' },
    { flag: 'accept', help: 'verify: accept missing or added segments, such as ones you removed' },
    { flag: 'call', placeholder: 'id', help: 'verify: prove the arguments of this call' },
    { flag: 'arguments', placeholder: 'json', help: 'verify: the arguments to prove; - reads stdin' },
    JSON_OPTION,
  ],
  details: `verify   detect entries and segments that were edited, inserted, reordered,
         removed or truncated since the ledger in STATE_DIR recorded them
show     list calls in the order in which they began; --json prints raw lines
tail     show recent calls, then follow new ones until Ctrl-C

Exit code: 0 not damaged, and --call proved; 1 damaged, unreadable or not
proved; 2 invalid arguments or settings.
`,
  start: async (request) => (await import('./commands/audit/audit.ts')).audit(request),
};

const approvals: Command = {
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

Exit code: 0 done; 2 invalid arguments, settings or passphrase; 130 Ctrl-C.
`,
  start: async (request) => (await import('./commands/approvals/approvals.ts')).approvals(request),
};

const jobs: Command = {
  name: 'jobs',
  summary: 'List, show or cancel the jobs of all callers',
  usage: ['jobs [list]', 'jobs show ID', 'jobs cancel ID'],
  maxArgs: 2,
  options: [JSON_OPTION],
  details: `Jobs are commands that were started in the background. They run on the node,
also while no server runs, and are removed a day after their end.

list       all jobs, with the caller who started each
show ID    its output on stdout and stderr, then its state
cancel ID  kill it and all its processes, and verify it

Exit code: 0 done; 1 failed; 2 invalid arguments or settings.
`,
  start: async (request) => (await import('./commands/jobs/jobs.ts')).jobs(request),
};

const lockdown: Command = {
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
  start: async (request) => (await import('./commands/lockdown/lockdown.ts')).lockdown(request),
};

const doctor: Command = {
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
  start: async (request) => (await import('./commands/doctor/doctor.ts')).doctor(request),
};

const health: Command = {
  name: 'health',
  summary: 'Check the health of the HTTP server on this machine',
  usage: ['health [--ready] [--port N]'],
  options: [{ flag: 'ready', help: 'Also require that the node can be reached' }],
  details: `For health checks of containers and services. Requests /health at SERVER_HOST
and SERVER_PORT, over TLS if HTTP_TLS_CERT is set. Needs no token and reveals no
secrets.

Exit code: 0 healthy; 1 unhealthy, or no answer within 7 s.
`,
  start: async (request) => (await import('./commands/health/health.ts')).health(request),
};

const init: Command = {
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
  start: async (request) => (await import('./commands/init/init.ts')).init(request),
};

const config: Command = {
  name: 'config',
  summary: 'Print the configuration of an MCP client',
  usage: ['config [CLIENT]', 'config docker'],
  maxArgs: 1,
  options: [JSON_OPTION],
  details: `CLIENT  ${CLIENT_IDS.slice(0, 4).join(', ')},
        ${CLIENT_IDS.slice(4).join(', ')}
docker  the docker run command for the configuration that init wrote

Without a client, lists the configuration file in use and the clients' files.
Snippets contain the absolute paths of Node.js, of this installation and of the
configuration file. Writes nothing; use \`init\` for that.
`,
  start: async (request) => (await import('./commands/config/config.ts')).config(request),
};

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  serve,
  init,
  demo,
  doctor,
  ...VERBS,
  policy,
  audit,
  approvals,
  jobs,
  lockdown,
  tools,
  call,
  config,
  health,
];
