import type { LoadInput } from '../config/load.ts';
import { demo } from './commands/demo/demo-command.ts';
import { CLIENT_IDS } from './commands/init/clients.ts';
import { VERBS } from './verb-commands.ts';

/** What a command is started with. */
export interface Request {
  /** Settings from the command line. */
  readonly input: LoadInput;
  /** What stands behind the command and is no option. */
  readonly args: readonly string[];
  /** The command's own options by flag; a switch that is on is 'true'. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** An option that belongs to commands, not to the settings. One of the same name is the same in all of them. */
export interface CommandOption {
  readonly flag: string;
  /** What stands for the value in help texts. Absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
}

/** A command as data, for the parser and the help; its code is loaded when it is started. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name of the program, one line each. */
  readonly usage: readonly string[];
  /** How many arguments it takes at most; none where it is absent. */
  readonly maxArgs?: number;
  readonly options: readonly CommandOption[];
  /** Whether everything after its first argument belongs to that, options included. */
  readonly passesThrough?: true;
  /** What else its help says. */
  readonly details: string;
  start(request: Request): Promise<void>;
}

const JSON_OPTION: CommandOption = { flag: 'json', help: 'Print JSON, for programs' };

const VMID_OPTION: CommandOption = {
  flag: 'exec',
  placeholder: 'vmid',
  help: 'Run a harmless command in this container, too',
};

const serve: Command = {
  name: 'serve',
  summary: 'Serve one MCP client on stdin and stdout; this is the default',
  usage: ['[serve]'],
  options: [],
  details: '',
  start: async ({ input }) => (await import('./commands/serve/serve.ts')).serve(input),
};

const tools: Command = {
  name: 'tools',
  summary: 'List the tools',
  usage: ['tools'],
  options: [JSON_OPTION],
  details: `Shows the tools that a client is offered with these settings (READ_ONLY hides
most). Needs no node. Parameters in [brackets] may be left out. --json prints
what tools/list answers, schemas included.
`,
  start: async (request) => (await import('./commands/tools/tools.ts')).tools(request),
};

const call: Command = {
  name: 'call',
  summary: 'Call one tool, as a client would',
  usage: ['call TOOL \'{"name": value, …}\'', 'call TOOL name=value …', 'call TOOL - <arguments.json'],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [JSON_OPTION],
  details: `TOOL may be written without proxmox_. A value of name=value that is JSON (101,
true) is taken as such where the tool wants that. Prints the text that a client
gets, or with --json its structured content.

  proxmox-mcp call list_containers
  proxmox-mcp call container_exec_command vmid=101 command='df -h /'
  proxmox-mcp call container_status vmid=101 --json

Ctrl-C cancels: what runs is killed first, and the answer says whether anything
is left. Exit code: 0 done; 1 the tool failed; 2 wrong arguments or settings;
130 cancelled by Ctrl-C. The tools that run commands end with the exit code of
the command when that is not 0.
`,
  start: async (request) => (await import('./commands/call/call.ts')).call(request),
};

const policy: Command = {
  name: 'policy',
  summary: 'Check policy files, and tell which rule decides about a call',
  usage: [
    'policy check FILE',
    "policy explain TOOL '{…}' | name=value …",
    'policy show [PRESET]',
    'policy schema',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'caller', placeholder: 'name', help: 'Who calls (local)' },
    {
      flag: 'guest',
      placeholder: 'facts',
      help: 'explain: the container, as name=web,tags=a+b,pool=lab,node=pve1',
    },
    { flag: 'at', placeholder: 'time', help: 'explain: another moment than now: 2026-11-20T23:30' },
    JSON_OPTION,
  ],
  details: `check    every fault with line and column, rules that never decide, and what
         each tool gets
explain  what would become of a call, by which rule, and why not by those before
         it; calls nothing. Reads the container's attributes from the node if a
         rule needs them and --guest is not given
show     the rules in force, or those of read-only, careful, standard or open,
         as a policy file
schema   the JSON Schema of policy files, for editors

  proxmox-mcp policy explain stop_container vmid=101 --guest tags=protected

Exit code: 0 done; 1 check found faults, or explain could not tell; 2 wrong
arguments or settings.
`,
  start: async (request) => (await import('./commands/policy/policy.ts')).policy(request),
};

const audit: Command = {
  name: 'audit',
  summary: 'Verify the audit log of all calls, or show it',
  usage: [
    'audit verify [--accept] [--call id --arguments json]',
    'audit show [filters]',
    'audit tail [filters]',
  ],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [
    { flag: 'since', placeholder: 'time', help: 'From then on: 30m, 2h, 7d ago, or 2026-11-20T23:30' },
    { flag: 'until', placeholder: 'time', help: 'Up to then' },
    { flag: 'tool', placeholder: 'name', help: 'Calls of this tool' },
    { flag: 'vmid', placeholder: 'id', help: 'Calls on this container' },
    { flag: 'caller', placeholder: 'name', help: 'Who calls (local)' },
    { flag: 'outcome', placeholder: 'word', help: 'allow, confirm, deny; or ok, TIMEOUT and other codes' },
    { flag: 'session', placeholder: 'id', help: 'Calls of this process, by the id or the name of a segment' },
    { flag: 'failed', help: 'What was refused, failed, exited with other than 0, or has no end' },
    { flag: 'wide', help: 'All columns, also on a narrow terminal: caller, decision and its rule, duration' },
    { flag: 'last', placeholder: 'n', help: 'The last n (show: 50, or all of a period; tail: 10)' },
    { flag: 'accept', help: 'verify: accept what is missing or new, for example removed segments' },
    { flag: 'call', placeholder: 'id', help: 'verify: prove what the arguments of this call were' },
    { flag: 'arguments', placeholder: 'json', help: 'verify: the arguments to prove; - reads stdin' },
    JSON_OPTION,
  ],
  details: `verify   finds entries and segments that were edited, added, moved, removed or
         cut off since the ledger in STATE_DIR recorded them
show     calls in the order in which they began; --json prints the raw lines
tail     the last calls, then each call as it ends; Ctrl-C ends it

Exit code: 0 no damage, and the claim is proved; 1 damaged, unreadable or not
proved; 2 wrong arguments or settings.
`,
  start: async (request) => (await import('./commands/audit/audit.ts')).audit(request),
};

const approvals: Command = {
  name: 'approvals',
  summary: 'Answer calls that wait for a person (APPROVALS=terminal)',
  usage: ['approvals [list]', 'approvals approve ID', 'approvals deny ID', 'approvals passphrase'],
  maxArgs: 2,
  options: [JSON_OPTION],
  details: `list        the calls that wait, with all that they will do
approve ID  lets the same call through once, when it is made again
passphrase  sets the passphrase that answers take; it is typed, never an
            argument, variable or pipe

Exit code: 0 done; 2 wrong arguments, settings or passphrase; 130 left with
Ctrl-C.
`,
  start: async (request) => (await import('./commands/approvals/approvals.ts')).approvals(request),
};

const lockdown: Command = {
  name: 'lockdown',
  summary: 'Refuse every call that changes something, until it is lifted',
  usage: ['lockdown [--for 30m]', 'lockdown --off'],
  options: [
    { flag: 'for', placeholder: 'time', help: 'How long: 30m, 2h, 1d; left out, until --off' },
    { flag: 'off', help: 'Lift the lockdown' },
  ],
  details: `Binds servers that run already: those of this machine (STATE_DIR) at once, and,
where the node can be reached, every server of the cluster by a file that only
root may write (/etc/pve/proxmox-mcp.lockdown). Tools that change nothing go on.

Exit code: 0 done; 1 done here, but not on the node; 2 wrong arguments or
settings.
`,
  start: async (request) => (await import('./commands/lockdown/lockdown.ts')).lockdown(request),
};

const doctor: Command = {
  name: 'doctor',
  summary: 'Check every step from the settings to a command in a container',
  usage: ['doctor [--exec VMID] [--report]'],
  options: [
    VMID_OPTION,
    { flag: 'report', help: 'Print a block for a bug report, without addresses, names and secrets' },
    JSON_OPTION,
  ],
  details: `Looks at the settings, name, port, host key, login, Proxmox VE, rights, the way
into containers, the cluster's files and quorum, containers, clock and round
trip, and the directories here for transfers and records. Each line begins with
✓ (works), ! (works, but know this), ✗ (does not work) or – (skipped), and says
what to do. Changes nothing, here or there; a new host key is shown, not pinned.

Exit code: 0 all well; 1 problems; 2 the settings are wrong, so serving would
not start.
`,
  start: async (request) => (await import('./commands/doctor/doctor.ts')).doctor(request),
};

const health: Command = {
  name: 'health',
  summary: 'Ask the server that runs here with --http whether it is healthy',
  usage: ['health [--ready] [--port N]'],
  options: [{ flag: 'ready', help: 'Healthy only if the node can be reached as well' }],
  details: `For health checks of containers and services: asks /health at SERVER_HOST and
SERVER_PORT, over TLS if HTTP_TLS_CERT is set. Takes no token and tells no
secret.

Exit code: 0 healthy; 1 not, or no answer within 7 s.
`,
  start: async (request) => (await import('./commands/health/health.ts')).health(request),
};

const init: Command = {
  name: 'init',
  summary: 'Set up: settings, login, host key, and your MCP clients',
  usage: ['init [[user@]host[:port]]', 'init --yes --i-accept-risks HOST --level LEVEL …', 'init --undo'],
  maxArgs: 1,
  options: [
    { flag: 'level', placeholder: 'level', help: 'read-only, containers, or host (containers and the node)' },
    { flag: 'client', placeholder: 'ids', help: `Comma-separated: ${CLIENT_IDS.join(', ')}; all or none` },
    { flag: 'fingerprint', placeholder: 'sha256', help: 'The host key that is expected: SHA256:…' },
    { flag: 'create-key', help: 'Create a key pair and install it with SSH_PASSWORD, which is not kept' },
    VMID_OPTION,
    { flag: 'yes', help: 'Ask nothing: for scripts; says what is missing' },
    { flag: 'dry-run', help: 'With --yes: test, show what would be written, write nothing' },
    { flag: 'undo', help: 'Remove everything that init has written' },
  ],
  details: `Asks for the node, the host key, the login, what the assistant may do, and the
clients; an option answers its question. Tests the connection as doctor does and
writes after the last answer: all changes or none. Settings and secrets go into
config.env (mode 600; another file with --config), clients get the path of it.
Files are merged into, comments kept, with a backup beside them. At the end the
server is started as a client starts it, and lists the containers.

Exit code: 0 done; 1 a test or a step failed; 2 something is missing; 130
cancelled. With 130, or before anything is written, nothing is changed.
`,
  start: async (request) => (await import('./commands/init/init.ts')).init(request),
};

const config: Command = {
  name: 'config',
  summary: "Print a client's configuration for this installation",
  usage: ['config [CLIENT]', 'config docker'],
  maxArgs: 1,
  options: [JSON_OPTION],
  details: `CLIENT  ${CLIENT_IDS.slice(0, 4).join(', ')},
        ${CLIENT_IDS.slice(4).join(', ')}
docker  the docker run command for the configuration that init has written

Without a client: which configuration file is read, and where the files of the
clients are. Snippets have the absolute paths of Node.js, of this installation
and of the configuration file. Writes nothing; \`init\` does.
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
  lockdown,
  tools,
  call,
  config,
  health,
];
