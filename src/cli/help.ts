import { GROUPS, type Setting } from '../config/setting.ts';
import { listSettings } from '../config/settings-schema.ts';
import { columnWidths, table } from '../lib/columns.ts';
import { VERSION } from '../lib/version.ts';
import { COMMANDS, type Command } from './commands.ts';
import { wrapText } from './output/output.ts';
import { VERBS } from './verb-commands.ts';

/** Every help fits a terminal of this many columns and 40 lines. */
const WIDTH = 80;

/** The settings that most people need; all others are in the help of their group. */
const FIRST = [
  'I_ACCEPT_RISKS',
  'PROXMOX_HOST',
  'SSH_USERNAME',
  'SSH_KEY',
  'SSH_PASSWORD',
  'READ_ONLY',
  'ENABLE_HOST_EXEC',
  'POLICY',
  'SERVER_HTTP',
];

/** How else settings are given; `shown` are those that the help is about. */
function foot(shown: readonly Setting[]): string {
  const other = shown.flatMap(({ flag, name }) =>
    flag === undefined || flag.toUpperCase().replaceAll('-', '_') === name ? [] : [`--${flag} is ${name}`],
  );
  const but = other.length === 0 ? '' : `, but ${other.join(', ')}`;
  const names = `Each option can be a variable: --ssh-port is SSH_PORT${but}.`;
  return `${wrapText(names, WIDTH).join('\n')}
Precedence: options, variables, configuration file, defaults. Empty is unset.
A switch is turned off with --no-…; a secret may be given as NAME_FILE, a path.
`;
}

/** Names of the groups of settings that `proxmox-mcp help` knows beside those of commands. */
export function settingGroups(): readonly string[] {
  return GROUPS.filter((group) => group !== 'Consent').map((group) => group.toLowerCase());
}

/** The whole of `--help`: what most people need, and where the rest is. */
export function helpText(): string {
  const settings = listSettings();
  const first = FIRST.flatMap((name) => settings.filter((setting) => setting.name === name));
  const general = [
    ['--config <file>', 'Configuration file (~/.config/proxmox-mcp/config.env)'],
    ['--version, --help', 'Also after a command; or: proxmox-mcp help COMMAND'],
  ] as const;
  return `proxmox-mcp ${VERSION}: lets MCP clients manage Proxmox VE containers over SSH.
Usage: proxmox-mcp [command] [options]

${commandList()}

${columns([...first.map(rowOf), ...general])}

All settings: proxmox-mcp help ${settingGroups().join('|')}
${foot(first)}`;
}

/** The commands; those for everyday work share a line. */
function commandList(): string {
  const verbs = VERBS.map(({ name }) => name);
  const others = COMMANDS.filter(({ name }) => !verbs.includes(name));
  return `${columns(others.map(({ name, summary }) => [name, summary] as const))}
  ${verbs.join(', ')}: one call each, as in exec 101 'df -h'`;
}

/** The help of one group of settings, by its name in any case; undefined when there is none of that name. */
export function groupHelp(name: string): string | undefined {
  const group = GROUPS.find((each) => each.toLowerCase() === name.toLowerCase());
  if (group === undefined) return undefined;
  const settings = listSettings().filter((setting) => setting.group === group);
  return `Settings: ${group}. Usage: proxmox-mcp [command] [options]\n\n${columns(settings.map(rowOf))}\n\n${foot(settings)}All groups and commands: proxmox-mcp --help\n`;
}

/** The help of one command. */
export function commandHelp({ usage, summary, options, details }: Command): string {
  const lines = usage.map((line, index) => `${index === 0 ? 'Usage:' : '      '} proxmox-mcp ${line}`);
  const own = options.map(
    ({ flag, placeholder, help }) =>
      [placeholder === undefined ? `--${flag}` : `--${flag} <${placeholder}>`, help] as const,
  );
  return `${summary}.
${lines.join('\n')}

${columns([...own, ['--config, --ssh-host, …', 'Settings: see proxmox-mcp --help']])}

${details}`;
}

/** Two columns; what is too long for the right one goes on below its beginning. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const room = WIDTH - (columnWidths(rows)[0] ?? 0) - 4;
  return table(
    rows.map(([left, right]) => [left, wrapText(right, room).join('\n')]),
    '  ',
  );
}

function rowOf({
  name,
  flag,
  placeholder,
  help,
  default: preset,
  defaultText,
}: Setting): readonly [string, string] {
  const left = flag === undefined ? `${name} (variable)` : `--${flag}`;
  const shown = defaultText ?? (placeholder === undefined ? '' : (preset ?? ''));
  return [
    placeholder === undefined ? left : `${left} <${placeholder}>`,
    shown === '' ? help : `${help} (${shown})`,
  ];
}
