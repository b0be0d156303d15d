import os from 'node:os';
import type * as z from 'zod/v4';
import { addressesOf } from '../../../config/address-formats.ts';
import { currentEnvironment } from '../../../config/host-environment.ts';
import { type Config, configSchema, listSettings } from '../../../config/settings-schema.ts';
import { VERSION } from '../../../lib/version.ts';
import { visible } from '../../../lib/visible.ts';
import { anonymize } from './anonymize.ts';
import type { Check } from './check.ts';
import type { ExaminedSettings } from './settings-check.ts';

/** Settings whose values reveal nothing about a network, a machine or a person. */
const SHOWN = new Set([
  'SUDO',
  'EXEC_METHOD',
  'ENABLE_HOST_EXEC',
  'ALLOW_SELF',
  'READ_ONLY',
  'SSH_HOST_KEY_POLICY',
  'POLICY',
  'APPROVALS',
  'SERVER_HTTP',
  'HTTP_AUTH',
  'BEHIND_PROXY',
  'AUDIT',
  'REDACT_FORMS',
  'LOG_LEVEL',
]);

/**
 * A block to paste into a bug report: versions, the settings that differ from their defaults, and every check. Addresses, names,
 * paths and fingerprints are replaced. It contains no secrets.
 */
export function reportText(
  checks: readonly Check[],
  found: ExaminedSettings['found'],
  file: string | undefined,
): string {
  const config = found?.config;
  // The names of nodes may stand in the errors of all later checks.
  const nodes = checks.flatMap(({ id, names = [] }) => (id === 'cluster-files' ? names : []));
  const everywhere = [...namesIn(found), ...nodes];
  const { home } = currentEnvironment();
  const lines = checks.flatMap(({ verdict, title, detail, remedy = '', code, ms, names = [] }) => {
    const hide = (text: string) => anonymize(text, [...everywhere, ...names], home);
    return [
      `${verdict.padEnd(7)} ${title}: ${hide(detail)}${code === undefined ? '' : ` [${code}]`}${ms === undefined ? '' : ` (${ms} ms)`}`,
      ...(verdict === 'fail' || verdict === 'warn' ? [`        ${hide(remedy.split('\n')[0] ?? '')}`] : []),
    ];
  });
  const head = [
    `proxmox-mcp ${VERSION}, Node.js ${process.version}, ${process.platform} ${os.release()} ${process.arch}`,
    `configuration file: ${file === undefined ? 'none' : file.endsWith('config.env') ? 'config.env' : 'another file'}`,
    `settings: ${config === undefined ? 'invalid' : settingsOf(config)}`,
  ];
  return visible(`\`\`\`\n${[...head, ...lines].join('\n')}\n\`\`\`\n`);
}

/** The settings that differ from their defaults: with values if those reveal nothing, otherwise the names only. */
function settingsOf(config: Config): string {
  const values: Readonly<Record<string, unknown>> = config;
  const formats: Readonly<Record<string, z.ZodType | undefined>> = configSchema(currentEnvironment()).shape;
  const parts = listSettings().flatMap(({ name, property, default: preset }) => {
    const value = values[property];
    const usual = formats[property]?.safeParse(preset).data;
    if (value === undefined || JSON.stringify(value) === JSON.stringify(usual)) return [];
    return [SHOWN.has(name) ? `${name}=${String(value)}` : name];
  });
  return parts.join(' ');
}

/** The names of this machine and of the machines and users in the settings. */
function namesIn(found: ExaminedSettings['found']): string[] {
  const at = currentEnvironment();
  const own = [os.hostname(), at.username];
  if (found === undefined) return own;
  const { config, target, standby } = found;
  const servers = [target, ...standby].flatMap((each) => [each, ...each.jumps]);
  return [
    ...own,
    ...addressesOf(config.host).map(({ host }) => host),
    ...(config.nodeAddresses?.keys() ?? []),
    ...(config.sshUsername === undefined ? [] : [config.sshUsername]),
    ...servers.flatMap(({ host, username }) => [host, username]),
  ];
}
