import { GROUPS, type Setting } from '../../src/config/setting.ts';
import { listSettings } from '../../src/config/settings-schema.ts';

const ENV_HEAD = `# Settings of proxmox-mcp. Copy this file to .env and fill in what you need; what is empty or left out has its default.
# Read by itself from the working directory while HOST is set nowhere else; or: proxmox-mcp --env-file FILE
# Put a value into quotes if it contains a #.
`;

/** `.env.example`: everything that must be set is open, everything else is a comment. */
export function renderEnvExample(): string {
  const settings = listSettings();
  const blocks = GROUPS.map((group) => {
    const own = settings.filter((setting) => setting.group === group).map(envLines);
    return `# --- ${group} ---\n\n${own.join('\n')}`;
  });
  return `${ENV_HEAD}\n${blocks.join('\n')}`;
}

function envLines(setting: Setting): string {
  const { name, help, example, secret, default: preset, defaultText = preset } = setting;
  const note = defaultText ? `${help}. Default: ${defaultText}` : help;
  const lines = [`# ${note}`];
  if (secret === true) lines.push(`# ${name}=`, `# ${name}_FILE=/run/secrets/${name.toLowerCase()}`);
  else if (isRequired(setting)) lines.push(`${name}=${name === 'HOST' ? example : ''}`);
  else lines.push(`# ${name}=${preset ?? example}`);
  return `${lines.join('\n')}\n`;
}

/** The README's table of settings. */
export function renderConfigTable(): string {
  const rows = listSettings().map((setting) => {
    const { name, flag, secret, help, default: preset, defaultText = preset } = setting;
    const names = secret === true ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
    const option = flag === undefined ? '–' : `\`--${flag}\``;
    const fallback = isRequired(setting) ? '**required**' : (defaultText ?? '');
    return `| ${[names, option, fallback, help].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| variable | option | default | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

function isRequired({ name }: Setting): boolean {
  return name === 'HOST' || name === 'I_ACCEPT_RISKS';
}
