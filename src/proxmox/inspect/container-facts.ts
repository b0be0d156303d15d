import { type Checked, type ContainerReport, failureOf, isPartial, lines } from './container-report.ts';
import type { ContainerFacts } from './inspect-types.ts';
import { oneLine } from './plain-text.ts';

/** The operating system, from os-release, and the time zone. */
export function parseSystem(
  parts: ContainerReport['parts'],
  uptime: number | null,
): NonNullable<ContainerFacts['system']> {
  const values = new Map<string, string>();
  for (const line of lines(parts.get('os')?.text)) {
    const [, key = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const name =
    values.get('PRETTY_NAME') || [values.get('ID'), values.get('VERSION_ID')].filter(Boolean).join(' ');
  return {
    os: oneLine(name || 'unknown', 60),
    uptime_s: uptime,
    time_zone: oneLine(parts.get('zone')?.text ?? '', 40),
  };
}

const MOST_ERRORS = 20;

/** The last errors that the container logged. */
export function parseLogs({ parts }: ContainerReport): Checked<NonNullable<ContainerFacts['logs']>> {
  for (const [name, part] of parts) {
    if (name !== 'journal' && !name.startsWith('file /var/log/')) continue;
    const source = oneLine(name.replace(/^file /, ''), 40);
    const problem = failureOf(part, name === 'journal' ? 'journalctl' : `Reading ${source}`);
    const found = lines(part.text).map((line) => oneLine(line, 400));
    const facts = { source, lines: found.slice(-MOST_ERRORS) };
    if (problem === null) return { facts, notChecked: [] };
    return { facts: isPartial(part) ? facts : null, notChecked: [problem] };
  }
  const nothing = 'It has no journal with entries, and no readable /var/log/syslog or /var/log/messages.';
  return { facts: null, notChecked: [nothing] };
}
