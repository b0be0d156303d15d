import { type Command, type CommandOption, JSON_OPTION, type Request } from './command.ts';

const TIMEOUT: CommandOption = {
  flag: 'timeout',
  placeholder: 'time',
  help: 'Kill the command (exec, default 300s) or the container (stop, 10s) after this',
};
const OVERWRITE: CommandOption = { flag: 'overwrite', help: 'Replace an existing file' };

const EXIT_CODES = 'Exit code: 0 done; 1 failed; 2 invalid arguments or settings; 130 Ctrl-C.\n';

function verb(
  name: string,
  command: Pick<Command, 'summary' | 'usage' | 'options' | 'details'> & { readonly maxArgs: number },
): Command {
  return {
    name,
    ...command,
    start: async (request: Request) => (await import('./commands/call/verbs.ts')).runVerb(name, request),
  };
}

const exec: Command = {
  ...verb('exec', {
    summary: 'Run a command in a container',
    usage: ["exec [options] VMID 'COMMAND LINE'", 'exec [options] VMID PROGRAM ARGUMENT …'],
    maxArgs: Number.POSITIVE_INFINITY,
    options: [TIMEOUT, JSON_OPTION],
    details: `One word is a command line for the container's shell. Several words are a
program and its arguments, which no shell interprets. Everything after VMID
belongs to the command. Standard output, standard error and the exit code are
those of the command; standard input is empty.

  proxmox-mcp exec 101 'df -h / | tail -1'
  proxmox-mcp exec 101 cat '/etc/a file'

Exit code: that of the command; 124 timeout; 125 the call failed; 2 invalid
arguments or settings; 130 Ctrl-C, which kills the command.
`,
  }),
  passesThrough: true,
};

/** Short commands for the most common tools. Each makes one tool call. */
export const VERBS: readonly Command[] = [
  verb('list', {
    summary: 'List the containers',
    usage: ['list'],
    maxArgs: 0,
    options: [JSON_OPTION],
    details: EXIT_CODES,
  }),
  verb('status', {
    summary: 'Show the status of a container',
    usage: ['status VMID'],
    maxArgs: 1,
    options: [JSON_OPTION],
    details: EXIT_CODES,
  }),
  verb('start', {
    summary: 'Start a container',
    usage: ['start VMID'],
    maxArgs: 1,
    options: [JSON_OPTION],
    details: EXIT_CODES,
  }),
  verb('stop', {
    summary: 'Stop a container',
    usage: ['stop VMID [--force]'],
    maxArgs: 1,
    options: [TIMEOUT, { flag: 'force', help: 'Kill immediately; may lose data' }, JSON_OPTION],
    details: `Shuts the container down. Kills it if it still runs after --timeout.

${EXIT_CODES}`,
  }),
  exec,
  verb('cp', {
    summary: 'Copy a file from or to a container',
    usage: ['cp VMID:PATH LOCAL', 'cp LOCAL VMID:PATH', 'cp host:PATH LOCAL', 'cp LOCAL host:PATH'],
    maxArgs: 2,
    options: [OVERWRITE, JSON_OPTION],
    details: `Copies one file, verified by SHA-256. If the target is a local directory or
ends with /, the file keeps its name. host: means the node itself and requires
ENABLE_HOST_EXEC=true. The directory of the local file is the transfer directory
of this call, unless --transfer-dirs is given.

  proxmox-mcp cp 101:/etc/hosts ./hosts
  proxmox-mcp cp ./nginx.conf 101:/etc/nginx/ --overwrite

${EXIT_CODES}`,
  }),
];
