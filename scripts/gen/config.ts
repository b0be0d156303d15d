import { GROUPS, type Setting } from '../../src/config/setting.ts';
import { listSettings } from '../../src/config/settings-schema.ts';

const ENV_HEAD = `# Settings of proxmox-mcp. Copy this file to ~/.config/proxmox-mcp/config.env (Windows: %APPDATA%\\proxmox-mcp\\config.env) and
# edit it, or create it with \`proxmox-mcp init\`. Empty or missing settings have their defaults.
# Durations: 30s, 10m, 2h. Sizes: 100M. Put a value in quotes if it contains a #.
`;

/** `.env.example`: required settings are active, all others are commented out. */
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
  else if (isRequired(setting)) lines.push(`${name}=${name === 'PROXMOX_HOST' ? example : ''}`);
  else lines.push(`# ${name}=${preset ?? example}`);
  return `${lines.join('\n')}\n`;
}

/** The table of the settings of one tier; undefined: the advanced settings. */
export function renderSettingsTable(tier: Setting['tier']): string {
  const rows = listSettings()
    .filter((setting) => setting.tier === tier)
    .map((setting) => {
      const { name, flag, secret, help, default: preset, defaultText = preset } = setting;
      const names = secret === true ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
      const option = flag === undefined ? '–' : `\`--${flag}\``;
      const fallback = isRequired(setting) ? '**required**' : (defaultText ?? '');
      return `| ${[names, option, fallback, help].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
  return ['| variable | option | default | description |', '|---|---|---|---|', ...rows].join('\n');
}

function isRequired({ name }: Setting): boolean {
  return name === 'PROXMOX_HOST' || name === 'I_ACCEPT_RISKS';
}
