import * as z from 'zod';
import { computingTime } from '../../lib/computing-time.ts';
import { groupBy } from '../../lib/group-by.ts';
import { visible } from '../../lib/visible.ts';
import { frameWord } from './format.ts';
import { outputSection } from './present-exec.ts';
import { COMPARE_MS, differenceBetween, type StreamDiff } from './similar-outputs.ts';
import { containerLabel, skippedLines } from './targets.ts';

const survivor = z.object({ pid: z.number(), name: z.string() });

/** The result of one container. */
export const execRow = z.object({
  vmid: z.number(),
  name: z.string().nullable(),
  status: z.enum([
    'exited',
    'timeout',
    'cancelled',
    'disconnected',
    'failed',
    'skipped',
    'not_run',
    'started',
  ]),
  exit_code: z.number().nullable(),
  /** Number of its batch, from 1, if there were several. */
  batch: z.number().optional(),
  job: z.string().optional(),
  check_exit_code: z.number().nullable().optional(),
  duration_ms: z.number().optional(),
  survivors: z.array(survivor).nullable().optional(),
  output_held: z.boolean().optional(),
  code: z.string().optional(),
  reason: z.string().optional(),
});

/** An output, and the containers that printed it. */
export const outputGroup = z.object({
  vmids: z.array(z.number()),
  of: z.enum(['command', 'check']),
  exit_code: z.number().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean(),
  characters: z.number(),
  lines: z.number(),
  /** In place of an output that would be cut, its unified diff from that of the container `from`. */
  diff: z
    .object({ from: z.number(), stdout: z.string().optional(), stderr: z.string().optional() })
    .optional(),
});

type Row = z.output<typeof execRow>;
type Group = z.output<typeof outputGroup>;

/** Names are shown up to this number of containers; vmids always. */
const MAX_NAMED = 40;

/** Containers of the first batch that are named. */
const MOST_FIRST = 10;

/** Exit codes, then commands that did not end by themselves, then each distinct output once. */
export function fleetText({
  containers,
  outputs,
}: {
  readonly containers: readonly Row[];
  readonly outputs: readonly Group[];
}): string {
  const label = (row: Pick<Row, 'vmid' | 'name'>) =>
    containers.length > MAX_NAMED ? String(row.vmid) : containerLabel(row);
  const listed = (rows: readonly Row[]) => rows.map(label).join(', ');
  const lines: string[] = [];
  const byCode = groupBy(
    containers.filter(({ status }) => status === 'exited'),
    ({ exit_code }) => exit_code,
  );
  for (const [code, rows] of [...byCode].sort(([a], [b]) => (a ?? -1) - (b ?? -1))) {
    lines.push(`Exit code ${code ?? 'unknown'} (${counted(rows.length)}): ${listed(rows)}`);
  }
  const first = containers.filter(({ batch }) => batch === 1);
  if (first.length > 0) {
    const more = first.length > MOST_FIRST ? ` and ${first.length - MOST_FIRST} more` : '';
    lines.push(`Run first: ${listed(first.slice(0, MOST_FIRST))}${more}`);
  }
  const started = containers.filter(({ status }) => status === 'started');
  if (started.length > 0) {
    const ids = started.map((row) => `${label(row)}: ${row.job}`).join(', ');
    lines.push(`Jobs started (${counted(started.length)}), read with one call of proxmox_get_job: ${ids}`);
  }
  const killed = containers.filter(({ status }) => status === 'timeout' || status === 'cancelled');
  for (const rows of groupBy(killed, (row) => `${row.status} ${survivorsText(row)}`).values()) {
    const [first] = rows;
    if (first !== undefined)
      lines.push(`${first.code} (${counted(rows.length)}): ${listed(rows)}: ${survivorsText(first)}`);
  }
  const lost = containers.filter(({ status }) => status === 'disconnected');
  if (lost.length > 0)
    lines.push(`DISCONNECTED (${counted(lost.length)}): ${listed(lost)}: may still be running`);
  const failed = groupBy(
    containers.filter(({ status }) => status === 'failed'),
    ({ code, vmid, reason }) => {
      return `${code} ${reason?.replaceAll(String(vmid), '')}`;
    },
  );
  for (const rows of failed.values()) {
    lines.push(`${rows[0]?.code} (${counted(rows.length)}): ${listed(rows)}: ${rows[0]?.reason}`);
  }
  lines.push(...checkLines(containers, listed));
  const skipped = containers.filter(({ status }) => status === 'skipped');
  lines.push(
    ...skippedLines(skipped.map(({ vmid, name, code = '', reason = '' }) => ({ vmid, name, code, reason }))),
  );
  const notRun = containers.filter(({ status }) => status === 'not_run');
  if (notRun.length > 0)
    lines.push(`Not run (${counted(notRun.length)}): ${listed(notRun)}: ${notRun[0]?.reason}`);
  const held = containers.filter((row) => row.output_held === true);
  if (held.length > 0) lines.push(`Background processes still have the output open in: ${listed(held)}`);
  const names = new Map(containers.map((row) => [row.vmid, row]));
  return [
    lines.map((line) => visible(line.replaceAll(/[\n\r\t]/g, ' '))).join('\n'),
    ...outputTexts(outputs, (vmid) => label(names.get(vmid) ?? { vmid, name: null })),
  ].join('\n\n');
}

function checkLines(containers: readonly Row[], listed: (rows: readonly Row[]) => string): string[] {
  const checked = containers.filter(({ check_exit_code }) => check_exit_code !== undefined);
  const groups = groupBy(checked, (row) => checkEnd(row).replaceAll(String(row.vmid), ''));
  return [...groups.values()].map((rows) => {
    const [first] = rows;
    if (first === undefined || first.check_exit_code === 0) return `Check passed in ${counted(rows.length)}`;
    return `Check failed, ${checkEnd(first)}: ${listed(rows)}`;
  });
}

function checkEnd(row: Row): string {
  const { check_exit_code: exitCode, code, reason, survivors } = row;
  if (exitCode !== null && exitCode !== undefined) return `exit code ${exitCode}`;
  return `${code} (${reason}${survivors === undefined ? '' : ` It was ${survivorsText(row)}.`})`;
}

function counted(count: number): string {
  return count === 1 ? '1 container' : `${count} containers`;
}

function survivorsText({ survivors }: Row): string {
  if (survivors === null || survivors === undefined) return 'not killed, or the kill could not be verified';
  if (survivors.length === 0) return 'killed, none of its processes is left';
  return `killed, but these survived: ${survivors.map(({ pid, name }) => `${name} (pid ${pid} on the node)`).join(', ')}`;
}

/** A line of this length or less is quoted instead of framed. */
const MAX_INLINE = 200;

/**
 * Each output with its containers, quoted or framed, so that it cannot pose as the output of another container. An output that is
 * similar to that of most containers is shown as its difference from that.
 */
function outputTexts(outputs: readonly Group[], label: (vmid: number) => string): string[] {
  const word = frameWord();
  const printed = outputs.filter(isPrinted);
  const notShown = outputs.filter(isNotShown);
  const showsCode = new Set(outputs.map(({ exit_code }) => exit_code)).size > 1;
  const until = computingTime() + COMPARE_MS;
  // The groups are sorted by the number of their containers.
  const largestOf = new Map<Group['of'], Group>();
  for (const group of printed) if (!largestOf.has(group.of)) largestOf.set(group.of, group);
  const looks = new Map<string, Group>();
  const texts = printed.map((group) => {
    const { vmids, of, exit_code, truncated, characters, lines } = group;
    const who = nameOf(group, label);
    const code = showsCode ? `, exit code ${exit_code ?? 'unknown'}` : '';
    const title = `${of === 'check' ? 'Check in ' : ''}${who}${code}`;
    const look = lookOf(group);
    const same = looks.get(look);
    if (same === undefined) looks.set(look, group);
    const largest = largestOf.get(of);
    const difference =
      largest === undefined || largest === group
        ? null
        : (shownDifference(group) ?? differenceBetween(largest, group, until));
    if (difference !== null && largest !== undefined) {
      const differ = vmids.length > 1 ? 'differ' : 'differs';
      const above = largest.vmids.length > 1 ? `the ${largest.vmids.length} equal` : nameOf(largest, label);
      const what = `${title} ${differ} from ${above} above`;
      if (difference.length === 0) return `${what} only in parts that are not shown`;
      const [only] = difference;
      if (difference.length === 1 && only?.stream === 'stdout')
        return outputSection(`${what} in these lines`, word, only.diff, null);
      return [
        `${what} in these lines:`,
        ...difference.map(({ stream, diff }) => outputSection(stream.toUpperCase(), word, diff, null)),
      ].join('\n');
    }
    const cut = truncated ? ` (cut; ${characters} characters in ${lines} lines in all)` : '';
    const hidden = same === undefined ? '' : ` (not equal to ${same.vmids[0]}: ${unlikeness(same, group)})`;
    return outputText(`${title}${cut}${hidden}`, word, group);
  });
  const silent = outputs
    .filter((group) => group.of === 'command' && !isPrinted(group) && !isNotShown(group))
    .flatMap(({ vmids }) => vmids);
  if (silent.length > 0) texts.push(printed.length === 0 ? '(no output)' : `No output: ${silent.join(', ')}`);
  if (notShown.length > 0) {
    const vmids = new Set(notShown.flatMap((group) => group.vmids));
    texts.push(
      `Outputs of ${counted(vmids.size)} are not shown, because all outputs together exceed the limit of characters. Select fewer containers to see them: ${[...vmids].join(', ')}`,
    );
  }
  return groupLines(texts);
}

/** The difference that the data has in place of the output. */
function shownDifference({ diff }: Group): StreamDiff[] | undefined {
  if (diff === undefined) return undefined;
  return (['stdout', 'stderr'] as const).flatMap((stream) => {
    const found = diff[stream];
    return found === undefined ? [] : [{ stream, diff: found }];
  });
}

function nameOf({ vmids }: Group, label: (vmid: number) => string): string {
  const [only = 0] = vmids;
  return vmids.length > 1 ? `${vmids.length} equal: ${vmids.join(', ')}` : visible(label(only));
}

/** Both streams of an output: quoted in the line of the title if they are short, otherwise framed. */
export function outputText(
  title: string,
  word: string,
  { stdout, stderr }: Pick<Group, 'stdout' | 'stderr'>,
): string {
  const [out, err] = [inlined(stdout), inlined(stderr)];
  if (out !== undefined && err !== undefined) {
    return [`${title}:`, ...(stdout === '' ? [] : [out]), ...(stderr === '' ? [] : ['STDERR', err])].join(
      ' ',
    );
  }
  if (stderr === '') return outputSection(title, word, stdout, null);
  const section = stdout === '' ? '' : `\n${outputSection('STDOUT', word, stdout, null)}`;
  return `${title}${section}\n${outputSection('STDERR', word, stderr, null)}`;
}

function isPrinted({ stdout, stderr, diff }: Group): boolean {
  return diff !== undefined || stdout !== '' || stderr !== '';
}

/** Whether the limit was used up by the outputs of other containers. */
function isNotShown(group: Group): boolean {
  return group.truncated && !isPrinted(group);
}

/** The same for outputs that look equal, although they are not. */
function lookOf({ of, exit_code, stdout, stderr }: Group): string {
  return JSON.stringify([of, exit_code, withoutLastNewline(stdout), withoutLastNewline(stderr)]);
}

function withoutLastNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

function unlikeness(one: Group, other: Group): string {
  const areShown = one.stdout === other.stdout && one.stderr === other.stderr;
  return areShown ? 'they differ in parts that are not shown' : 'only one of them ends with a newline';
}

/** The text of a short line in quotes; undefined if it must be framed. */
function inlined(text: string): string | undefined {
  const line = withoutLastNewline(text);
  return line.length > MAX_INLINE || line.includes('\n') ? undefined : JSON.stringify(line);
}

/** Joins adjacent one-line texts, which need no empty lines between them. */
export function groupLines(texts: readonly string[]): string[] {
  const blocks: string[] = [];
  let wasLine = false;
  for (const text of texts) {
    const isLine = !text.includes('\n');
    if (isLine && wasLine) blocks.push(`${blocks.pop()}\n${text}`);
    else blocks.push(text);
    wasLine = isLine;
  }
  return blocks;
}
