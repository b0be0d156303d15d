import { listSettings } from '../config/schema.ts';
import { GROUPS, GROUPS_APART, type Setting } from '../config/setting.ts';
import { VERSION } from '../lib/version.ts';
import { COMMANDS, type Command } from './commands.ts';

const FOOT = `Each option can be set as a variable instead: --ssh-port is SSH_PORT, only --ssh-host is HOST.
Options win over the environment, the environment over the env file; empty counts as unset.
A switch is turned off with --no-…; a secret may be given as NAME_FILE, the path of a file.
`;

/** The whole of `--help`: made from the settings, short enough for one screen. */
export function helpText(): string {
  const rows = listSettings()
    .filter(({ group }) => !GROUPS_APART.includes(group))
    .map((setting) => ({ group: setting.group, row: rowOf(setting) }));
  const general = [
    ['--env-file <file>', 'Read settings from a file (.env, while HOST is set nowhere else)'],
    ['--version, --help', `More settings: proxmox-mcp help ${GROUPS_APART.join('|').toLowerCase()}`],
  ] as const;
  const width = Math.max(...rows.map(({ row }) => row[0].length));
  const line = ([left, right]: readonly [string, string]): string =>
    `  ${left.padEnd(width)}  ${right}`.trimEnd();
  const sections = GROUPS.filter((group) => !GROUPS_APART.includes(group)).map((group) => {
    const own = rows.filter((each) => each.group === group).map(({ row }) => line(row));
    return [`${group}:`, ...own, ...(group === 'Server' ? general.map(line) : [])].join('\n');
  });
  return `proxmox-mcp ${VERSION}: lets an MCP client look after Proxmox VE containers, over SSH.
Usage: proxmox-mcp [command] [options]

${columns(COMMANDS.map(({ name, summary }) => [name, summary] as const))}

${sections.join('\n')}

${FOOT}`;
}

/** The help of one group of settings, by its name in any case; undefined when there is none of that name. */
export function groupHelp(name: string): string | undefined {
  const group = GROUPS.find((each) => each.toLowerCase() === name.toLowerCase());
  if (group === undefined) return undefined;
  const rows = listSettings().filter((setting) => setting.group === group);
  return `${group}:\n${columns(rows.map(rowOf))}\n\n${FOOT}`;
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

${columns([...own, ['--env-file, --ssh-host, …', 'Settings: see proxmox-mcp --help']])}

${details}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
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
