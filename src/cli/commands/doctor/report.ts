import os from 'node:os';
import { currentEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { listSettings } from '../../../config/settings-schema.ts';
import { VERSION } from '../../../lib/version.ts';
import { visible } from '../../../lib/visible.ts';
import type { Check } from './check.ts';

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
  config: Config | undefined,
  file: string | undefined,
): string {
  const hide = anonymizer(config, checks);
  const lines = checks.flatMap(({ verdict, title, detail, remedy = '', code, ms }) => [
    `${verdict.padEnd(7)} ${title}: ${hide(detail)}${code === undefined ? '' : ` [${code}]`}${ms === undefined ? '' : ` (${ms} ms)`}`,
    ...(verdict === 'fail' || verdict === 'warn' ? [`        ${hide(remedy.split('\n')[0] ?? '')}`] : []),
  ]);
  const head = [
    `proxmox-mcp ${VERSION}, Node.js ${process.version}, ${process.platform} ${os.release()} ${process.arch}`,
    `configuration file: ${file === undefined ? 'none' : file.endsWith('config.env') ? 'config.env' : 'another file'}`,
    `settings: ${config === undefined ? 'invalid' : settingsOf(config)}`,
  ];
  return visible(`\`\`\`\n${[...head, ...lines].join('\n')}\n\`\`\`\n`);
}

/** The settings that are set: with values if those reveal nothing, otherwise the names only. */
function settingsOf(config: Config): string {
  const values: Readonly<Record<string, unknown>> = config;
  const parts = listSettings().flatMap(({ name, property, default: preset }) => {
    const value = values[property];
    if (value === undefined || String(value) === preset) return [];
    return [SHOWN.has(name) ? `${name}=${String(value)}` : name];
  });
  return parts.join(' ');
}

/** Replaces addresses and names that identify a machine or a person. */
function anonymizer(config: Config | undefined, checks: readonly Check[]): (text: string) => string {
  const node = checks.flatMap(({ detail }) => /this node is (\S+)/.exec(detail)?.[1] ?? []);
  const names = [config?.host, config?.sshUsername, os.hostname(), currentEnvironment().username, ...node]
    .flatMap((name) => name ?? [])
    .filter((name) => name.length > 2 && name !== 'root');
  return (text) => {
    const withoutNames = names.reduce((left, name) => left.replaceAll(name, '<name>'), text);
    return withoutNames
      .replaceAll(/(?<![\w/])\/(?!etc\/pve|usr\/|dev\/)[\w.@+-]+(?:\/[\w.@+-]+)+/g, '<path>')
      .replaceAll(/\b[A-Z]:\\[^\s,;]+/g, '<path>')
      .replaceAll(/SHA256:[\w+/]+=*/g, 'SHA256:…')
      .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '<address>')
      .replaceAll(/\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b/gi, '<address>')
      .replaceAll(/\b([1-9]\d{2,8}) (?!containers?\b|ms\b|s\b)[A-Za-z][\w.-]*/g, '$1 <container>');
  };
}
