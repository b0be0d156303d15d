import { Command, CommanderError, Option } from 'commander';
import { RETIRED } from '../config/retired-settings.ts';
import type { Setting } from '../config/setting.ts';
import { listSettings } from '../config/settings-schema.ts';
import { nearest } from '../lib/suggest.ts';
import { VERSION } from '../lib/version.ts';
import type { Command as CliCommand, CommandOption, Request } from './command.ts';
import { COMMANDS } from './commands.ts';
import { commandHelp, groupHelp, helpText, settingGroups } from './help.ts';
import { proseWidth, wrapLines } from './output/output.ts';

/** A parsed command line: a command to run, a text to print, or a usage error. */
export type Invocation =
  | { readonly kind: 'run'; readonly command: CliCommand; readonly request: Request }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'refuse'; readonly text: string };

/** Parses a command line. Options may come before or after the command. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const settings = listSettings();
  const program = new Command('proxmox-mcp')
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .version(VERSION, '-v, --version')
    .helpOption(false)
    .option('-h, --help')
    .option('--config <file>')
    .option('--env-file <file>')
    .argument('[command...]');
  const options = addOptions(program, settings);
  const own = ownOptions();
  for (const { flag, placeholder } of own) {
    program.addOption(new Option(placeholder === undefined ? `--${flag}` : `--${flag} <${placeholder}>`));
  }
  for (const { flag } of RETIRED) program.addOption(new Option(`--${flag} <value>`).hideHelp());
  const refused = notOptions(settings);
  for (const name of Object.keys(refused)) program.addOption(new Option(`--${name} [value]`).hideHelp());

  let passedThrough: readonly string[] = [];
  try {
    const [own, passed] = splitPassedThrough(argv);
    program.parse(spellOutSwitches(own, settings), { from: 'user' });
    passedThrough = passed;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { kind: 'print', text: `${VERSION}\n` };
    return refuse(error.message.replace(/^error: /, ''), commandIn(argv));
  }
  const given = program.opts<Record<string, string | true | undefined>>();
  for (const [name, message] of Object.entries(refused)) {
    if (attribute(name) in given) return refuse(message);
  }
  const [name = 'serve', ...before] = program.args;
  const args = [...before, ...passedThrough];
  const help = name === 'help';
  const wanted = help ? args[0] : name;
  const command = COMMANDS.find((each) => each.name === wanted);
  if (command === undefined) {
    const group = help && wanted !== undefined ? groupHelp(wanted) : undefined;
    if (group !== undefined) return { kind: 'print', text: group };
    if (wanted === undefined) return { kind: 'print', text: helpText() };
    return refuse(help ? unknownTopic(wanted) : unknownCommand(wanted));
  }
  if (help || given.help === true) {
    return { kind: 'print', text: program.args.length === 0 ? helpText() : commandHelp(command) };
  }
  const foreign = own.find(({ flag }) => attribute(flag) in given && !takes(command, flag));
  if (foreign !== undefined) return refuse(wrongCommand(foreign, command), command);
  const listening = LISTEN_OPTIONS.find(({ flag }) => attribute(flag) in given);
  if (listening !== undefined && given.http === undefined && !LISTENING.includes(command.name)) {
    const { flag, node } = listening;
    return refuse(`--${flag} is where the HTTP server listens; for the node, use --${node}`, command);
  }
  const surplus = args[command.maxArgs ?? 0];
  if (surplus !== undefined) return refuse(`unexpected argument: '${surplus}'`, command);
  const textOf = (flag: string): string | undefined => {
    const value = given[flag];
    return value === true ? 'true' : value;
  };
  const flags = Object.fromEntries(
    options.map(({ property, option }) => [property, textOf(option.attributeName())]),
  );
  const chosen = Object.fromEntries(command.options.map(({ flag }) => [flag, textOf(attribute(flag))]));
  for (const { name, flag } of RETIRED) flags[name] = textOf(attribute(flag));
  const input = { flags, envFile: textOf('config') ?? textOf('envFile') };
  return { kind: 'run', command, request: { input, args, options: chosen } };
}

/** Options of the HTTP server that users mistake for those of the node: the command would use another node than the user meant. */
const LISTEN_OPTIONS = [
  { flag: 'host', node: 'ssh-host' },
  { flag: 'port', node: 'ssh-port' },
] as const;

/** The commands that start or address an HTTP server also without `--http`. */
const LISTENING: readonly string[] = ['serve', 'demo', 'health', 'config'];

/** The options of all commands. An option that several commands share is listed once. */
function ownOptions(): readonly CommandOption[] {
  return [...new Map(COMMANDS.flatMap(({ options }) => options.map((each) => [each.flag, each]))).values()];
}

/** The command that a command line names, also if its options are invalid. */
function commandIn(argv: readonly string[]): CliCommand | undefined {
  const first = argv.find((word) => COMMANDS.some(({ name }) => name === word));
  return COMMANDS.find(({ name }) => name === first);
}

function takes(command: CliCommand, flag: string): boolean {
  return command.options.some((option) => option.flag === flag);
}

function wrongCommand({ flag }: CommandOption, command: CliCommand): string {
  const owners = COMMANDS.filter((each) => takes(each, flag)).map(({ name }) => name);
  return `--${flag} is an option of ${owners.join(' and ')}, not of ${command.name}`;
}

function addOptions(program: Command, settings: readonly Setting[]): { property: string; option: Option }[] {
  return settings.flatMap(({ property, flag }) => {
    if (flag === undefined) return [];
    const option = new Option(`--${flag} <value>`);
    program.addOption(option);
    return [{ property, option }];
  });
}

/**
 * Splits the command line of a command that passes arguments through (`exec`): up to its first argument, and the rest, which
 * is not parsed.
 */
function splitPassedThrough(argv: readonly string[]): readonly [readonly string[], readonly string[]] {
  const names = COMMANDS.map(({ name }) => name);
  const at = argv.findIndex((word) => names.includes(word));
  const command = COMMANDS.find(({ name }) => name === argv[at]);
  if (command?.passesThrough !== true) return [argv, []];
  const taking = command.options.flatMap(({ flag, placeholder }) =>
    placeholder === undefined ? [] : [`--${flag}`],
  );
  for (let index = at + 1; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (taking.includes(word)) index += 1;
    else if (!word.startsWith('-')) return [argv.slice(0, index + 1), argv.slice(index + 1)];
  }
  return [argv, []];
}

/** Rewrites `--sudo`, `--no-sudo`, `--sudo=no` and `--sudo no` as `--sudo=…`, so that a switch never takes a command as its value. */
function spellOutSwitches(argv: readonly string[], settings: readonly Setting[]): string[] {
  const switches = [...settings, ...RETIRED].flatMap(({ flag, placeholder }) =>
    flag !== undefined && placeholder === undefined ? [flag] : [],
  );
  const spelled: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    const on = switches.find((flag) => argument === `--${flag}`);
    const off = switches.find((flag) => argument === `--no-${flag}`);
    const next = argv[index + 1] ?? '';
    if (on !== undefined && /^(true|false|yes|no|on|off|1|0)$/i.test(next)) {
      spelled.push(`--${on}=${next}`);
      index += 1;
    } else if (on !== undefined) spelled.push(`--${on}=true`);
    else if (off !== undefined) spelled.push(`--${off}=false`);
    else spelled.push(argument);
  }
  return spelled;
}

/** Options that do not exist but that users try, with the reason. Without it, the parser would suggest an unrelated option. */
function notOptions(settings: readonly Setting[]): Readonly<Record<string, string>> {
  const secrets = settings.flatMap(({ name, secret }) => (secret === true ? [name] : []));
  const messages = secrets.map((name) => {
    const flag = name.toLowerCase().replaceAll('_', '-');
    const why = 'every user of this machine can read command lines';
    return [
      flag,
      `there is no option --${flag}, because ${why}; set the variable ${name} or ${name}_FILE instead`,
    ];
  });
  return Object.fromEntries(messages);
}

function unknownCommand(command: string): string {
  const meant = nearest(command, [...COMMANDS.map(({ name }) => name), 'help']);
  return `unknown command '${command}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`;
}

function unknownTopic(topic: string): string {
  const topics = [...COMMANDS.map(({ name }) => name), ...settingGroups()];
  // A topic such as `ssh` or `audit-dir` is a setting: suggest the group that lists it.
  const word = topic.toLowerCase().replaceAll('_', '-').replace(/^-+/, '');
  const owner = listSettings().find(({ name, flag }) =>
    [flag ?? '', name.toLowerCase().replaceAll('_', '-')].some(
      (each) => each === word || each.startsWith(`${word}-`),
    ),
  );
  const meant = owner?.group.toLowerCase() ?? nearest(topic, topics);
  const known = `Topics: ${topics.join(', ')}`;
  return `there is no help topic '${topic}'\n${meant === undefined ? known : `(Did you mean ${meant}?)`}`;
}

function refuse(message: string, command?: CliCommand): Invocation {
  const help =
    command === undefined || command.name === 'serve' ? '--help for all options' : `${command.name} --help`;
  const text = `proxmox-mcp: ${message}\nRun proxmox-mcp ${help}.`;
  return { kind: 'refuse', text: `${wrapLines(text, proseWidth(process.stderr))}\n` };
}

function attribute(flag: string): string {
  return new Option(`--${flag}`).attributeName();
}
