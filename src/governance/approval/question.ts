import { groupBy } from '../../lib/group-by.ts';
import { visible } from '../../lib/visible.ts';
import {
  ATTRIBUTE_NAMES,
  type AttributeName,
  CONTAINER_ATTRIBUTES,
  type ContainerAttributes,
  valuesOf,
} from '../../remote/container-attributes.ts';
import type { FileDigest } from '../../remote/remote-types.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';

/** The command that a call runs in one of its containers. */
export interface ContainerCommand {
  readonly vmid: number;
  readonly command: string;
}

/** The approval question: the whole effect of the call, in a form that its arguments cannot imitate or change. */
export function questionOf(about: {
  readonly targets: readonly {
    readonly subject: Subject;
    readonly decision: Decision;
    /** null for the node. */
    readonly attributes: ContainerAttributes | null;
  }[];
  /** The containers that the call also works on, without needing approval. */
  readonly others?: readonly number[];
  /** The command of each container that the call works on, if they differ. */
  readonly commands?: readonly ContainerCommand[];
  readonly input: Readonly<Record<string, unknown>>;
  readonly host: string;
  readonly source: FileDigest | null;
}): string {
  const { targets, others = [], commands = [], input, host, source } = about;
  const [first] = targets;
  if (first === undefined) throw new TypeError('an approval question without a target');
  const { subject } = first;
  const lines = [`Allow ${subject.tool} (${subject.effect}) once?`, ''];
  for (const { subject: part, attributes } of targets) {
    if (part.role !== undefined) lines.push(`Part: ${part.role} (${part.effect})`);
    if (attributes === null)
      lines.push(`Target: the Proxmox node ${host} itself, which can affect every guest`);
    else if (targets.length === 1) lines.push(...containerLines(attributes));
    else lines.push(containerLines(attributes).join('; '));
  }
  if (others.length > 0) lines.push(`Also in, without approval: ${others.join(', ')}`);
  for (const [name, value] of Object.entries(input)) {
    if (NOT_SHOWN.has(name) || value === undefined) continue;
    lines.push(`${name}: ${shownValue(value)}`);
  }
  if (source !== null) lines.push(`File: ${source.bytes} bytes, SHA-256 ${source.sha256}`);
  lines.push(`Caller: ${subject.caller}`);
  // Of a call with parts, those that are allowed are shown as well.
  const requiring = targets.filter(({ decision }) => decision.outcome === 'confirm');
  const rules = (requiring.length === 0 ? targets : requiring).map(
    ({ decision: { rule, reason } }) => `rule "${rule}"${reason === null ? '' : `: ${reason}`}`,
  );
  lines.push(`Approval required by: ${[...new Set(rules)].join('; ')}`);
  const plain = lines.map((line) => visible(line.replaceAll(/[\n\r\t]/g, ' ')));
  if (commands.length > 0) return [...plain, ...commandsLines(commands)].join('\n');
  const firstCommand = targets.map((target) => target.subject.command).find((each) => each !== null) ?? null;
  return [...plain, ...commandLines(typeof input.command === 'string' ? input.command : firstCommand)].join(
    '\n',
  );
}

function shownValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The vmid and name of the container, then its other attributes that have a value. */
function containerLines(attributes: ContainerAttributes): readonly string[] {
  const others = ATTRIBUTE_NAMES.filter((name) => name !== 'name').flatMap((name: AttributeName) => {
    const values = valuesOf(attributes, name);
    return values.length === 0 ? [] : [`${CONTAINER_ATTRIBUTES[name].label}: ${values.join(', ')}`];
  });
  return [`Container: ${attributes.vmid}, ${attributes.name}`, ...others];
}

/** Arguments that have their own line, or concern only the form of the result. */
const NOT_SHOWN = new Set([
  'vmid',
  'command',
  'commands',
  'response_format',
  'max_output',
  'keep',
  'expect_name',
]);

/** Last, and with a bar before every line, so that a command cannot imitate the lines above. */
function commandLines(command: string | null, where = ''): string[] {
  if (command === null) return [];
  const lines = visible(command.replaceAll('\r\n', '\n')).split('\n');
  return ['', `Command${where} (${[...command].length} characters):`, ...lines.map((line) => `  | ${line}`)];
}

/** Each command once, with the containers that it runs in. */
function commandsLines(commands: readonly ContainerCommand[]): string[] {
  return [...groupBy(commands, ({ command }) => command)].flatMap(([command, containers]) =>
    commandLines(command, ` in ${containers.map(({ vmid }) => vmid).join(', ')}`),
  );
}
