import type { LoadInput } from '../config/load.ts';

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
  /** How many arguments it takes at most. */
  readonly maxArgs: number;
  readonly options: readonly CommandOption[];
  /** What else its help says. */
  readonly details: string;
  start(request: Request): Promise<void>;
}

const JSON_OPTION: CommandOption = { flag: 'json', help: 'Print JSON, for programs' };

const serve: Command = {
  name: 'serve',
  summary: 'Serve one MCP client on stdin and stdout; this is the default',
  usage: ['[serve]'],
  maxArgs: 0,
  options: [],
  details: '',
  start: async ({ input }) => (await import('./serve.ts')).serve(input),
};

const tools: Command = {
  name: 'tools',
  summary: 'List the tools',
  usage: ['tools'],
  maxArgs: 0,
  options: [JSON_OPTION],
  details: `Shows the tools that a client is offered with these settings (READ_ONLY hides most). Needs no node.
Parameters in [brackets] may be left out. --json prints what tools/list answers, schemas included.
`,
  start: async (request) => (await import('./tools.ts')).tools(request),
};

const call: Command = {
  name: 'call',
  summary: 'Call one tool, as a client would',
  usage: ['call TOOL \'{"name": value, …}\'', 'call TOOL name=value …', 'call TOOL - <arguments.json'],
  maxArgs: Number.POSITIVE_INFINITY,
  options: [JSON_OPTION],
  details: `TOOL may be written without proxmox_. A value of name=value that is JSON (101, true) is taken as such
where the tool wants that. Prints the text that a client gets, or with --json its structured content.

  proxmox-mcp call list_containers
  proxmox-mcp call container_exec_command vmid=101 command='df -h /'
  proxmox-mcp call container_status vmid=101 --json

Ctrl-C cancels: what runs is killed first, and the answer says whether anything is left.
Exit code: 0 done; 1 the tool failed; 2 wrong arguments or settings; 130 cancelled by Ctrl-C.
The tools that run commands end with the exit code of the command when that is not 0.
`,
  start: async (request) => (await import('./call.ts')).call(request),
};

const doctor: Command = {
  name: 'doctor',
  summary: 'Check every step from the settings to a command in a container',
  usage: ['doctor [--exec VMID]'],
  maxArgs: 0,
  options: [
    { flag: 'exec', placeholder: 'vmid', help: 'Run a harmless command in this container, too' },
    JSON_OPTION,
  ],
  details: `Looks at the settings, name, port, host key, login, Proxmox VE, rights, the way into containers, the
cluster's files and quorum, containers, clock and round trip, and the transfer directories here.
Each line begins with ✓ (works), ! (works, but know this), ✗ (does not work) or – (skipped), and
says what to do. Changes nothing, here or there; a new host key is shown, not pinned.

Exit code: 0 all well; 1 problems; 2 the settings are wrong, so serving would not start.
`,
  start: async (request) => (await import('./doctor.ts')).doctor(request),
};

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [serve, doctor, tools, call];
