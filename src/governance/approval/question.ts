import { visible } from '../../lib/visible.ts';
import type { ContainerAttributes, FileDigest } from '../../remote/remote-types.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';

/** What a person is shown before saying yes: all that the call will do, and nothing that could pass for something else. */
export function questionOf(about: {
  readonly subject: Subject;
  readonly decision: Decision;
  readonly input: Readonly<Record<string, unknown>>;
  readonly facts: ContainerAttributes | null;
  readonly host: string;
  readonly source: FileDigest | null;
}): string {
  const { subject, decision, input, facts, host, source } = about;
  const lines = [`Allow this call of ${subject.tool} (${subject.effect}), once?`, ''];
  if (facts === null) lines.push(`Where: the Proxmox node ${host} itself, which can affect every guest`);
  else {
    lines.push(`Node: ${facts.node}`, `Container: ${facts.vmid}, ${facts.name}`);
    if (facts.tags.length > 0) lines.push(`Tags: ${facts.tags.join(', ')}`);
  }
  for (const [name, value] of Object.entries(input)) {
    if (NOT_SHOWN.has(name) || value === undefined) continue;
    lines.push(`${name}: ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
  }
  if (source !== null) lines.push(`Bytes: ${source.bytes}, SHA-256 ${source.sha256}`);
  lines.push(`Asked by: ${subject.caller}`);
  lines.push(
    `Why you are asked: rule "${decision.rule}"${decision.reason === null ? '' : `: ${decision.reason}`}`,
  );
  const plain = lines.map((line) => visible(line.replaceAll(/[\n\r\t]/g, ' ')));
  return [...plain, ...commandLines(subject.command)].join('\n');
}

/** Said otherwise, or of no consequence. */
const NOT_SHOWN = new Set(['vmid', 'command', 'response_format', 'expect_name']);

/** Last and behind a bar on every line, so that no command can look like the lines above. */
function commandLines(command: string | null): string[] {
  if (command === null) return [];
  const lines = visible(command.replaceAll('\r\n', '\n')).split('\n');
  return ['', `Command (${[...command].length} characters):`, ...lines.map((line) => `  | ${line}`)];
}
