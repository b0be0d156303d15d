import { Command, CommanderError, Option } from 'commander';
import type { LoadInput } from '../config/load.ts';
import { listSettings, type Setting } from '../config/schema.ts';
import { nearest } from '../lib/nearest.ts';
import { VERSION } from '../lib/version.ts';
import { helpText } from './help.ts';

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'serve'; readonly input: LoadInput }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'refuse'; readonly text: string };

const COMMANDS = ['serve'];

/** Options that people will try and that are none: said plainly, they are not mistaken for something near. */
const NOT_OPTIONS: Readonly<Record<string, string>> = {
  host: '--host is the HTTP bind address of a later version; for the node use --ssh-host',
  port: '--port is the HTTP port of a later version; for the SSH port of the node use --ssh-port',
  http: '--http comes with a later version; this one speaks MCP on stdin and stdout',
};

/** Understands a command line. Settings may stand before and after the command. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const settings = listSettings();
  const program = new Command('proxmox-mcp')
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .version(VERSION)
    .helpOption('-h, --help')
    .option('--env-file <file>')
    .argument('[command...]');
  const options = addOptions(program, settings);
  const refused = notOptions(settings);
  for (const name of Object.keys(refused)) program.addOption(new Option(`--${name} [value]`).hideHelp());

  try {
    program.parse(spellOutSwitches(argv, settings), { from: 'user' });
    const given = program.opts<Record<string, string | undefined>>();
    for (const [name, message] of Object.entries(refused)) {
      if (attribute(name) in given) return refuse(message);
    }
    const [command = 'serve', surplus] = program.args;
    if (command === 'help') return { kind: 'print', text: helpText() };
    if (!COMMANDS.includes(command)) return refuse(unknownCommand(command));
    if (surplus !== undefined) return refuse(`too much on the command line: '${surplus}'`);
    const flags = Object.fromEntries(
      options.map(({ property, option }) => [property, given[option.attributeName()]]),
    );
    return { kind: 'serve', input: { flags, envFile: given.envFile } };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { kind: 'print', text: `${VERSION}\n` };
    if (error.exitCode === 0) return { kind: 'print', text: helpText() };
    return refuse(error.message.replace(/^error: /, ''));
  }
}

function addOptions(program: Command, settings: readonly Setting[]): { property: string; option: Option }[] {
  return settings.flatMap(({ property, flag }) => {
    if (flag === undefined) return [];
    const option = new Option(`--${flag} <value>`);
    program.addOption(option);
    return [{ property, option }];
  });
}

/** `--sudo`, `--no-sudo`, `--sudo=no` and `--sudo no` all become `--sudo=…`: a switch never swallows a command. */
function spellOutSwitches(argv: readonly string[], settings: readonly Setting[]): string[] {
  const switches = settings.flatMap(({ flag, placeholder }) =>
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

function notOptions(settings: readonly Setting[]): Readonly<Record<string, string>> {
  const secrets = settings.flatMap(({ name, secret }) => (secret === true ? [name] : []));
  const messages = secrets.map((name) => {
    const flag = name.toLowerCase().replaceAll('_', '-');
    const why = 'a command line is seen by every user of this machine';
    return [flag, `--${flag} does not exist: ${why}; set ${name} or ${name}_FILE in the environment`];
  });
  return { ...NOT_OPTIONS, ...Object.fromEntries(messages) };
}

function unknownCommand(command: string): string {
  const meant = nearest(command, [...COMMANDS, 'help']);
  return `unknown command '${command}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`;
}

function refuse(message: string): Invocation {
  return { kind: 'refuse', text: `proxmox-mcp: ${message}\nRun proxmox-mcp --help for all options.\n` };
}

function attribute(flag: string): string {
  return new Option(`--${flag}`).attributeName();
}
