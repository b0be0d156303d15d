import { GROUPS, type Setting } from '../config/setting.ts';
import { listSettings } from '../config/settings-schema.ts';
import { columnWidths, table } from '../lib/columns.ts';
import { VERSION } from '../lib/version.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { wrapText } from './output/output.ts';
import { VERBS } from './verb-commands.ts';

/** Every help text fits a terminal of this width and 40 lines. */
const WIDTH = 80;

/** The settings in the main help. The help of each group lists all of its settings. */
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

/** The footer of a help text: variables, precedence, switches and secrets. `shown` are the settings in that help text. */
function foot(shown: readonly Setting[]): string {
  const other = shown.flatMap(({ flag, name }) =>
    flag === undefined || flag.toUpperCase().replaceAll('-', '_') === name ? [] : [`--${flag} is ${name}`],
  );
  const exceptions = other.length === 0 ? '' : `, but ${other.join(', ')}`;
  const names = `Every option is also a variable: --ssh-port is SSH_PORT${exceptions}.`;
  return `${wrapText(names, WIDTH).join('\n')}
Precedence: options, variables, configuration file, defaults. Empty = unset.
Turn a switch off with --no-NAME. Put a secret in a file: NAME_FILE is its path.
`;
}

/** The help topics that are groups of settings. */
export function settingGroups(): readonly string[] {
  return GROUPS.filter((group) => group !== 'Consent').map((group) => group.toLowerCase());
}

/** The text of `--help`: all commands, the most important settings, and where the other settings are. */
export function helpText(): string {
  const settings = listSettings();
  const first = FIRST.flatMap((name) => settings.filter((setting) => setting.name === name));
  const general = [
    ['--config <file>', 'Configuration file (~/.config/proxmox-mcp/config.env)'],
    ['--version, --help', 'Help on a command: proxmox-mcp help COMMAND'],
  ] as const;
  return `proxmox-mcp ${VERSION}: manage Proxmox VE containers from MCP clients, over SSH.
Usage: proxmox-mcp [command] [options]

${commandList()}

${columns([...first.map(rowOf), ...general])}

All settings: proxmox-mcp help ${settingGroups().join('|')}
${foot(first)}`;
}

/** The list of commands. The verbs share a line. */
function commandList(): string {
  const verbs = VERBS.map(({ name }) => name);
  const others = COMMANDS.filter(({ name }) => !verbs.includes(name));
  return `${columns(others.map(({ name, summary }) => [name, summary] as const))}
  ${verbs.join(', ')}: run one tool, as in exec 101 'df -h'`;
}

/** The help of a group of settings; the name is case-insensitive. Undefined if there is no such group. */
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

/** Two columns; the right one is wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const rightWidth = WIDTH - (columnWidths(rows)[0] ?? 0) - 4;
  return table(
    rows.map(([left, right]) => [left, wrapText(right, rightWidth).join('\n')]),
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
